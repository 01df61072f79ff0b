package dev.ratelimit.ktor.client.download

import dev.ratelimit.ktor.client.DownloadException
import dev.ratelimit.ktor.client.http.RetryAfter
import io.ktor.client.plugins.HttpRequestRetryConfig
import io.ktor.client.statement.HttpResponse
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * The retries of one file. Those of a request that is refused or does not get through are HttpRequestRetry's; those of an answer that
 * breaks off are made here. Both come from one budget, after pauses of one kind.
 */
internal class Retries(
    private val most: Int,
    private val random: Random = Random.Default,
    private val tell: (number: Int, pause: Duration, reason: String) -> Unit,
) {
    /** How many were made. */
    var used = 0
        private set

    /** The pause before the file is asked for again; null if it is not. */
    fun after(failure: DownloadException): Duration? =
        if (used < most && Causes.isTransient(failure)) pause(Duration.ZERO, failure.reason) else null

    /** Makes HttpRequestRetry retry one request by these rules. */
    fun govern(
        config: HttpRequestRetryConfig,
        reasonOf: (Throwable) -> String,
    ) {
        config.maxRetries = most - used
        config.retryIf { _, response -> isTransient(response) }
        config.retryOnExceptionIf { _, cause -> Causes.isTransient(cause) }
        config.delayMillis(respectRetryAfterHeader = false) {
            val told = response?.let { RetryAfter.of(it.headers) } ?: Duration.ZERO
            pause(told, response?.status?.toString() ?: reasonOf(checkNotNull(cause))).inWholeMilliseconds
        }
    }

    private fun isTransient(response: HttpResponse): Boolean =
        response.status.value in TRANSIENT && (RetryAfter.of(response.headers) ?: Duration.ZERO) <= LONGEST_TOLD

    private fun pause(
        atLeast: Duration,
        reason: String,
    ): Duration {
        val backoff = (FIRST * (1 shl used.coerceAtMost(LAST_DOUBLING))).coerceAtMost(LONGEST) + random.nextLong(SPREAD_MILLIS).milliseconds
        used++
        return maxOf(backoff, atLeast).also { tell(used, it, reason) }
    }

    private companion object {
        /** Who is to stay away for longer gives up: to come earlier would not be welcome. */
        val LONGEST_TOLD = 300.seconds

        /** As HttpRequestRetry has them. */
        val FIRST = 1.seconds
        val LONGEST = 60.seconds
        const val SPREAD_MILLIS = 1000L
        const val LAST_DOUBLING = 6

        /** What servers and those in front of them say when they cannot now; 501 and 505 are no better later. */
        val TRANSIENT = setOf(408, 425, 429, 500, 502, 503, 504) + (520..527) + 529
    }
}

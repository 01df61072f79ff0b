package dev.ratelimit.ktor.client.learning

import dev.ratelimit.ktor.client.http.HttpDates
import dev.ratelimit.ktor.client.http.RetryAfter
import io.ktor.http.Headers
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpStatusCode
import java.time.Instant
import kotlin.time.Duration.Companion.minutes

/**
 * Reads the hints of an answer: Retry-After (RFC 9110, 10.2.3) of a refusal, which comes before all others, and quotas (see [QuotaReader]),
 * of which the strictest counts. What cannot be read is as if it were not there.
 */
internal class HintReader(
    private val wallClock: () -> Instant,
) {
    fun read(
        status: HttpStatusCode,
        headers: Headers,
    ): Hint? {
        if (status !in REFUSALS && headers.names().none { QuotaReader.mayTell(it) }) return null
        val now = HttpDates.dateOf(headers, wallClock())
        val quotas = QuotaReader.read(headers, now)
        return when (status) {
            HttpStatusCode.TooManyRequests, HttpStatusCode.ServiceUnavailable -> refusal(headers, quotas, now)
            // GitHub's way of saying 429; from others it mostly means something else.
            HttpStatusCode.Forbidden -> if (headers.tellLimit(quotas)) refusal(headers, quotas, now) else null
            else -> quotas.mapNotNull(Quota::hint).maxByOrNull(Hint::pause)
        }
    }

    private fun refusal(
        headers: Headers,
        quotas: List<Quota>,
        now: Instant,
    ): Hint? =
        RetryAfter.of(headers, now)?.takeIf { it.isPositive() }?.let { Hint(it, HttpHeaders.RetryAfter, turnsAway = true) }
            ?: quotas.filter { it.remaining == 0L }.mapNotNull(Quota::hint).maxByOrNull(Hint::pause)
            ?: if (headers.areGitHubs && quotas.isNotEmpty()) Hint(GITHUB_SECONDARY, "GitHub's secondary limit", turnsAway = true) else null

    private fun Headers.tellLimit(quotas: List<Quota>) = contains(HttpHeaders.RetryAfter) || quotas.any { it.remaining == 0L }

    private val Headers.areGitHubs get() = contains("X-GitHub-Request-Id")

    private companion object {
        val REFUSALS = setOf(HttpStatusCode.TooManyRequests, HttpStatusCode.ServiceUnavailable, HttpStatusCode.Forbidden)

        /** What GitHub's documentation asks for where its answer names no time. */
        val GITHUB_SECONDARY = 1.minutes
    }
}

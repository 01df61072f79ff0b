package dev.ratelimit.ktor.client.passage

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.acquire
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds

/**
 * What a request pays: its weight to [limiter], and then one permit to the Crawl-delay of its host, which is about requests, whatever they
 * weigh. That comes last, so that requests leave as far apart as it says.
 */
internal class Fare(
    val limiter: RateLimiter,
    val permits: Long,
    private val crawlDelay: RateLimiter?,
) {
    /** All within [maxWait], or nothing: who fails or leaves on the way has what was paid given back. */
    suspend fun pay(
        clock: NanoClock,
        maxWait: Duration,
        acquire: suspend (left: Duration) -> Unit,
    ) {
        val start = clock.nanoTime()
        acquire(maxWait)
        if (crawlDelay == null) return
        var isPaid = false
        try {
            crawlDelay.acquire(maxWait = (maxWait - (clock.nanoTime() - start).nanoseconds).coerceAtLeast(Duration.ZERO))
            isPaid = true
        } finally {
            if (!isPaid) limiter.settleAsync(permits, 0)
        }
    }

    fun giveBack() {
        limiter.settleAsync(permits, 0)
        crawlDelay?.settleAsync(1, 0)
    }
}

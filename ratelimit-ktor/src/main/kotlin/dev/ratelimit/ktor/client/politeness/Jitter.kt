package dev.ratelimit.ktor.client.politeness

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.peek
import dev.ratelimit.jvm.retryAfter
import dev.ratelimit.ktor.client.passage.InFlight
import dev.ratelimit.ktor.client.rules.TargetId
import kotlinx.coroutines.delay
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds

/**
 * Random pauses between requests, on top of what limits ask for, so that nobody can set a clock by this client. The permit is taken after
 * the pause, so that requests only ever get further apart.
 */
internal class Jitter(
    private val most: Duration,
    private val random: Random,
    private val clock: NanoClock,
) {
    private val turns = InFlight(1)

    /** As acquire of [limiter], one caller of [key] after another. */
    suspend fun acquire(
        key: TargetId,
        limiter: RateLimiter,
        permits: Long,
        maxWait: Duration,
    ) {
        val start = clock.nanoTime()
        val turn = turns.tryEnter(key) ?: turns.enterWithin(key, maxWait) ?: return limiter.acquire(permits, Duration.ZERO).let { }
        try {
            val left = maxWait - (clock.nanoTime() - start).nanoseconds
            val wait = limiter.peek().let { if (it.isAllowed) Duration.ZERO else it.retryAfter } + most * random.nextDouble()
            // If that is too long, the limiter says so at once.
            if (wait <= left) delay(wait)
            limiter.acquire(permits, (maxWait - (clock.nanoTime() - start).nanoseconds).coerceAtLeast(Duration.ZERO))
        } finally {
            turn.release()
        }
    }
}

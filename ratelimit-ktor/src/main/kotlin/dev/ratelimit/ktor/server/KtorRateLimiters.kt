package dev.ratelimit.ktor.server

import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.tryAcquire
import java.time.Clock
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import io.ktor.server.plugins.ratelimit.RateLimiter as KtorRateLimiter

/**
 * This limiter for Ktor's own plugin: `register { rateLimiter { call, key -> limiters["$key"].asKtorRateLimiter() } }`. Where Ktor counts
 * in Int numbers, larger ones are cut to the largest. A leaky bucket's turn counts as a wait: what cannot go now is refused.
 *
 * Needs `io.ktor:ktor-server-rate-limit`.
 *
 * @param clock tells Ktor at what time the limit is whole again
 */
@JvmOverloads
public fun RateLimiter.asKtorRateLimiter(clock: Clock = Clock.systemUTC()): KtorRateLimiter = RateLimiterForKtor(this, clock)

private class RateLimiterForKtor(
    private val limiter: RateLimiter,
    private val clock: Clock,
) : KtorRateLimiter {
    /** @throws IllegalArgumentException if [tokens] is below 1 or above what the limit can ever grant */
    override suspend fun tryConsume(tokens: Int): KtorRateLimiter.State {
        val result = limiter.tryAcquire(tokens.toLong(), Duration.ZERO)
        if (!result.isAllowed) return KtorRateLimiter.State.Exhausted(result.retryAfterNanos().nanoseconds)
        return KtorRateLimiter.State.Available(
            result.remaining().coerceAtMost(Int.MAX_VALUE.toLong()).toInt(),
            result.limit().burst().coerceAtMost(Int.MAX_VALUE.toLong()).toInt(),
            clock.millis() + result.resetAfterNanos() / NANOS_PER_MILLI,
        )
    }

    private companion object {
        const val NANOS_PER_MILLI = 1_000_000L
    }
}

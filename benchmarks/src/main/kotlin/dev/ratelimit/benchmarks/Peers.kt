package dev.ratelimit.benchmarks

import io.github.bucket4j.Bucket
import io.github.resilience4j.ratelimiter.RateLimiterConfig
import java.time.Duration
import com.google.common.util.concurrent.RateLimiter as GuavaLimiter
import dev.failsafe.RateLimiter as FailsafeLimiter
import io.github.resilience4j.ratelimiter.RateLimiter as Resilience4jLimiter

/**
 * Other rate limiters, each as its users make it for `permits` in `period`, and with what comes closest to a token bucket.
 *
 * Bucket4j keeps its defaults: lock-free, and a clock of milliseconds. Resilience4j does not wait. Guava has no burst of its own
 * beyond the permits of one second. Of Failsafe's two, the bursty one admits `permits` at once, as the others do.
 */
internal object Peers {
    fun bucket4j(
        permits: Long,
        period: Duration,
    ): Bucket = Bucket.builder().addLimit { it.capacity(permits).refillGreedy(permits, period) }.build()

    fun resilience4j(
        permits: Long,
        period: Duration,
    ): Resilience4jLimiter =
        Resilience4jLimiter.of(
            "peer",
            RateLimiterConfig
                .custom()
                .limitForPeriod(Math.toIntExact(permits))
                .limitRefreshPeriod(period)
                .timeoutDuration(Duration.ZERO)
                .build(),
        )

    fun guava(
        permits: Long,
        period: Duration,
    ): GuavaLimiter = GuavaLimiter.create(permits.toDouble() / period.toSeconds())

    fun failsafe(
        permits: Long,
        period: Duration,
    ): FailsafeLimiter<Any> = FailsafeLimiter.burstyBuilder<Any>(permits, period).build()
}

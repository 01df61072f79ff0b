package dev.ratelimit.jvm.algorithm

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.model.FixedWindowModel
import dev.ratelimit.jvm.model.LeakyBucketModel
import dev.ratelimit.jvm.model.Model
import dev.ratelimit.jvm.model.SlidingLogModel
import dev.ratelimit.jvm.model.SlidingWindowModel
import dev.ratelimit.jvm.model.TokenBucketModel
import java.math.BigInteger
import java.time.Duration
import kotlin.random.Random

/** Limits of every size: small and awkward ones often, extreme ones now and then. */
internal fun Random.limit(algorithm: Algorithm): RateLimit {
    val period = Duration.ofNanos(oneOf(PERIODS) { nextLong(1, 1L shl nextInt(1, 62)) })
    return when (algorithm) {
        Algorithm.TOKEN_BUCKET -> RateLimit.tokenBucket(rate(), period).withBurst(burst())
        Algorithm.LEAKY_BUCKET -> RateLimit.leakyBucket(rate(), period, burst())
        Algorithm.FIXED_WINDOW -> RateLimit.fixedWindow(rate(), period)
        Algorithm.SLIDING_WINDOW -> RateLimit.slidingWindow(rate(), period)
        Algorithm.SLIDING_LOG -> RateLimit.slidingLog(nextLong(1, 200), period)
    }
}

/** The model of the same limit. */
internal fun modelOf(limit: RateLimit): Model {
    val nanos = BigInteger.valueOf(limit.period().toNanos())
    return when (limit.algorithm()) {
        Algorithm.TOKEN_BUCKET -> TokenBucketModel(limit.permits(), nanos, limit.burst())
        Algorithm.LEAKY_BUCKET -> LeakyBucketModel(limit.permits(), nanos, limit.burst())
        Algorithm.FIXED_WINDOW -> FixedWindowModel(limit.permits(), nanos)
        Algorithm.SLIDING_WINDOW -> SlidingWindowModel(limit.permits(), nanos)
        Algorithm.SLIDING_LOG -> SlidingLogModel(limit.permits(), nanos)
    }
}

private fun Random.rate() = oneOf(RATES) { nextLong(1, 1L shl nextInt(1, 62)) }

private fun Random.burst() = oneOf(BURSTS) { nextLong(1, 1L shl nextInt(1, 62)) }

private fun Random.oneOf(
    values: LongArray,
    other: () -> Long,
) = if (nextInt(4) == 0) other() else values[nextInt(values.size)]

private val PERIODS =
    longArrayOf(1, 2, 7, 1_000, 1_000_000, 500_000_000, 1_000_000_000, 3_000_000_000, 60_000_000_000, 3_600_000_000_000, 86_400_000_000_000)
private val RATES = longArrayOf(1, 1, 2, 3, 5, 7, 10, 29, 30, 31, 60, 97, 100, 999, 1_000, 7_919, 2_000_000_000, 999_999_937)
private val BURSTS = longArrayOf(1, 1, 2, 3, 5, 10, 100, 1_000, 1_000_000, Long.MAX_VALUE)

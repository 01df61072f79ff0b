package dev.ratelimit.jvm.redis

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.Refusal
import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.Reservation
import java.math.BigDecimal
import java.math.RoundingMode
import java.time.Duration
import java.util.concurrent.ConcurrentHashMap

/** Decides while Redis is away, as the [policy] says. */
internal class Fallback(
    private val policy: FailurePolicy,
) {
    private val memory = MemoryStore()
    private val shares = ConcurrentHashMap<RateLimit, RateLimit>()

    fun tryAcquire(
        charges: List<Charge>,
        maxDelay: Long,
        cause: RateLimitStoreException,
    ): RateLimitResult = decide(charges, cause) { memory.tryAcquire(it, memory.clock().nanoTime(), maxDelay) }

    fun peek(
        charges: List<Charge>,
        ahead: Long,
        cause: RateLimitStoreException,
    ): RateLimitResult = decide(charges, cause) { memory.peek(it, memory.clock().nanoTime(), ahead) }

    fun reserve(
        charges: List<Charge>,
        cause: RateLimitStoreException,
    ): Reservation {
        val result = tryAcquire(charges, Long.MAX_VALUE, cause)
        return if (result.isAllowed) Reservation.of(result, 0) else Reservation.of(result)
    }

    fun adjust(
        adjustments: List<Adjustment>,
        cause: RateLimitStoreException,
    ) {
        when (policy.kind) {
            FailurePolicy.Kind.LOCAL -> memory.adjust(adjustments.map { Adjustment(it.key, shareOf(it.limit), it.permits) })
            FailurePolicy.Kind.OPEN, FailurePolicy.Kind.CLOSED -> Unit
            FailurePolicy.Kind.RAISE -> throw cause
        }
    }

    /** What was to be forgotten in Redis is not, so the caller has to know. */
    fun reset(
        keys: List<BucketKey>,
        cause: RateLimitStoreException,
    ): Nothing {
        memory.reset(keys)
        throw cause
    }

    private inline fun decide(
        charges: List<Charge>,
        cause: RateLimitStoreException,
        locally: (List<Charge>) -> RateLimitResult,
    ): RateLimitResult {
        val limit = charges.first().limit
        return when (policy.kind) {
            FailurePolicy.Kind.LOCAL -> locally(if (policy.share == 1.0) charges else charges.map(::shared))
            FailurePolicy.Kind.OPEN -> RateLimitResult.allowed(limit, limit.burst() - charges.first().permits, 0, 0)
            FailurePolicy.Kind.CLOSED -> RateLimitResult.denied(limit, 0, RETRY, RETRY).refused(Refusal.UNAVAILABLE, RETRY)
            FailurePolicy.Kind.RAISE -> throw cause
        }
    }

    private fun shared(charge: Charge): Charge {
        val limit = shareOf(charge.limit)
        return Charge(charge.key, limit, charge.permits.coerceAtMost(limit.burst()))
    }

    private fun shareOf(limit: RateLimit): RateLimit =
        when {
            policy.share == 1.0 -> limit
            shares.size < MOST_SHARES -> shares.computeIfAbsent(limit, ::share)
            else -> shares[limit] ?: share(limit)
        }

    /** The share of a bucket's rate is exact in its period; that of a window is one of its permits, or of its period if it has one. */
    private fun share(limit: RateLimit): RateLimit {
        val burst = part(limit.burst())
        return when (limit.algorithm()) {
            Algorithm.TOKEN_BUCKET -> RateLimit.tokenBucket(limit.permits(), longer(limit, 1.0)).withBurst(burst)
            Algorithm.LEAKY_BUCKET -> RateLimit.leakyBucket(limit.permits(), longer(limit, 1.0), burst)
            Algorithm.FIXED_WINDOW -> RateLimit.fixedWindow(burst, longer(limit, burst.toDouble() / limit.permits()))
            Algorithm.SLIDING_WINDOW -> RateLimit.slidingWindow(burst, longer(limit, burst.toDouble() / limit.permits()))
            Algorithm.SLIDING_LOG -> RateLimit.slidingLog(burst, longer(limit, burst.toDouble() / limit.permits()))
        }
    }

    private fun part(permits: Long): Long =
        BigDecimal(permits).multiply(BigDecimal.valueOf(policy.share)).setScale(0, RoundingMode.DOWN).toLong().coerceAtLeast(1)

    /** The period in which [permits] times as many permits as before keep the rate at its share. */
    private fun longer(
        limit: RateLimit,
        permits: Double,
    ): Duration {
        val period = limit.period()
        if (permits != 1.0 && permits <= policy.share) return period
        val nanos = BigDecimal(period.seconds).scaleByPowerOfTen(NANO_DIGITS).add(BigDecimal(period.nano))
        val long = nanos.multiply(BigDecimal.valueOf(permits)).divide(BigDecimal.valueOf(policy.share), 0, RoundingMode.UP)
        return Duration.ofNanos(long.min(BigDecimal(Long.MAX_VALUE)).toLong())
    }

    private companion object {
        const val RETRY = 200_000_000L
        const val MOST_SHARES = 10_000
        const val NANO_DIGITS = 9
    }
}

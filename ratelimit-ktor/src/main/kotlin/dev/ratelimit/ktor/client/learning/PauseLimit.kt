package dev.ratelimit.ktor.client.learning

import dev.ratelimit.RateLimit
import java.math.BigDecimal
import java.math.RoundingMode
import java.time.Duration
import dev.ratelimit.jvm.RateLimit as Limits

/**
 * A pause as a limit: beside its own limits each bucket has one that is never short of permits, because it refills faster than the
 * others can be used. Taking more of it than there are makes everybody wait who is charged to the bucket, in every process that shares the
 * store, until time has paid the debt.
 */
internal object PauseLimit {
    private const val LEAST_RATE = 1_000_000L
    private val SECOND = Duration.ofSeconds(1)

    fun beside(limits: List<RateLimit>): RateLimit {
        val rate = limits.maxOf { permitsIn(it, SECOND, RoundingMode.CEILING) }.coerceAtLeast(LEAST_RATE)
        return Limits.tokenBucket(rate, SECOND).withBurst(limits.maxOf { it.burst() })
    }

    /** What [limit] refills in [time], saturated. */
    fun permitsIn(
        limit: RateLimit,
        time: Duration,
        rounding: RoundingMode,
    ): Long {
        val permits = BigDecimal(limit.permits()).multiply(time.exact()).divide(limit.period().exact(), 0, rounding)
        return if (permits.bitLength() < Long.SIZE_BITS) permits.toLong() else Long.MAX_VALUE
    }

    private fun BigDecimal.bitLength() = toBigInteger().bitLength()

    private fun Duration.exact() = BigDecimal(seconds).add(BigDecimal(nano.toLong(), NANO_SCALE))

    private fun BigDecimal(
        unscaled: Long,
        scale: Int,
    ) = BigDecimal.valueOf(unscaled, scale)

    private const val NANO_SCALE = 9
}

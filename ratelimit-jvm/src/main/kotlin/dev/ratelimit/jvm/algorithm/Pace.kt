package dev.ratelimit.jvm.algorithm

import dev.ratelimit.RateLimit
import java.math.BigInteger

/**
 * The rate of a limit as a reduced fraction: [permits] in [nanos] nanoseconds. Exact for every period up to 292 years; of
 * longer ones only those 292 years can be seen on a clock of 64 bits, and they are rounded toward less.
 */
internal class Pace private constructor(
    @JvmField val permits: Long,
    @JvmField val nanos: Long,
) {
    companion object {
        private val MAX = BigInteger.valueOf(Long.MAX_VALUE)

        fun of(limit: RateLimit): Pace {
            val permits = BigInteger.valueOf(limit.permits())
            val nanos = nanosOf(limit)
            val divisor = permits.gcd(nanos)
            val reduced = nanos / divisor
            return if (reduced <= MAX) {
                Pace((permits / divisor).toLong(), reduced.toLong())
            } else {
                Pace((permits * MAX / nanos).toLong().coerceAtLeast(1), Long.MAX_VALUE)
            }
        }

        /** The period of a window; at most 146 years, so that the ends of two windows can be added up. */
        fun windowNanos(limit: RateLimit): Long = nanosOf(limit).min(BigInteger.valueOf(Long.MAX_VALUE / 2)).toLong()

        private fun nanosOf(limit: RateLimit): BigInteger =
            BigInteger
                .valueOf(limit.period().seconds)
                .multiply(BigInteger.valueOf(1_000_000_000))
                .add(BigInteger.valueOf(limit.period().nano.toLong()))
    }
}

package dev.ratelimit.jvm.algorithm

import dev.ratelimit.RateLimit
import java.math.BigInteger

/**
 * The rate of a limit as a reduced fraction: [permits] in [nanos] nanoseconds. Exact for every period up to 292 years; for
 * longer ones it is the greatest rate below that 64 bits can hold, and at least one permit in the life of the clock.
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
                belowWithin(permits / divisor, reduced)
            }
        }

        /** The greatest fraction below p / q with a denominator of 64 bits: a walk down the Stern-Brocot tree, many steps at once. */
        private fun belowWithin(
            p: BigInteger,
            q: BigInteger,
        ): Pace {
            var low = BigInteger.ZERO to BigInteger.ONE
            var high = BigInteger.ONE to BigInteger.ZERO
            while (true) {
                val (a, b) = low
                val (c, d) = high
                val belowBy = p * b - q * a
                val aboveBy = q * c - p * d
                val up = (belowBy / aboveBy).min(if (d.signum() == 0) belowBy else (MAX - b) / d)
                low = (a + up * c) to (b + up * d)
                val left = belowBy - up * aboveBy
                val down = if (left.signum() == 0) BigInteger.ZERO else ((aboveBy - BigInteger.ONE) / left).min((MAX - d) / low.second)
                if (up.signum() == 0 && down.signum() == 0) break
                high = (c + down * low.first) to (d + down * low.second)
            }
            return if (low.first.signum() > 0) Pace(low.first.toLong(), low.second.toLong()) else Pace(1, Long.MAX_VALUE)
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

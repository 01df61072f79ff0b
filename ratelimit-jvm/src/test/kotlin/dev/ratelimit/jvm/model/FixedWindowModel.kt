package dev.ratelimit.jvm.model

import java.math.BigInteger

/**
 * the definition: "windows aligned to multiples of the period since the epoch; count + n ≤ permits",
 * "a clock stepping back reopens no window": an instant before the state's window counts as in it.
 */
internal class FixedWindowModel(
    permits: Long,
    periodNanos: BigInteger,
) : LevelModel(permits, periodNanos) {
    /** The window of the last permits taken; null before the first use. */
    private var index: BigInteger? = null
    private var count = BigInteger.ZERO

    private fun windowAt(now: Long): BigInteger {
        val window = Fraction.of(now.toBigInteger(), period).floor()
        return index?.max(window) ?: window
    }

    private fun countAt(now: Long): BigInteger = if (windowAt(now) == index) count else BigInteger.ZERO

    override fun level(now: Long): Fraction = Fraction.of(countAt(now))

    override fun add(
        now: Long,
        permits: BigInteger,
    ) {
        val raised = countAt(now) + permits
        index = windowAt(now)
        count = raised
    }

    /** In a later window than the state's there is nothing to give back, and nothing changes. */
    override fun remove(
        now: Long,
        permits: BigInteger,
    ) {
        if (windowAt(now) == index) count = BigInteger.ZERO.max(count - permits)
    }

    /** Every window starts at zero, whatever the debt of the one before. */
    override fun firstAtMost(
        now: Long,
        room: BigInteger,
    ): BigInteger = firstEmpty(now)

    override fun firstEmpty(now: Long): BigInteger = (windowAt(now) + BigInteger.ONE) * period
}

package dev.ratelimit.jvm.model

import java.math.BigInteger

/**
 * the definition: "previous × (1 − elapsed/period) + current + n ≤ permits", in windows aligned as those of the fixed window.
 * An instant before the state's window counts as its first one (elapsed = 0).
 */
internal class SlidingWindowModel(
    permits: Long,
    periodNanos: BigInteger,
) : LevelModel(permits, periodNanos) {
    private class Counts(
        val index: BigInteger,
        val previous: BigInteger,
        val current: BigInteger,
    ) {
        fun next() = Counts(index + BigInteger.ONE, current, BigInteger.ZERO)

        fun withCurrent(current: BigInteger) = Counts(index, previous, current)
    }

    /** As of the last permits taken or given back; null before the first use. */
    private var state: Counts? = null

    private fun countsAt(now: Long): Counts {
        val window = Fraction.of(now.toBigInteger(), period).floor()
        val counts = state ?: return Counts(window, BigInteger.ZERO, BigInteger.ZERO)
        return when {
            window <= counts.index -> counts
            window == counts.index + BigInteger.ONE -> counts.next()
            else -> Counts(window, BigInteger.ZERO, BigInteger.ZERO)
        }
    }

    private fun start(counts: Counts): BigInteger = counts.index * period

    override fun level(now: Long): Fraction {
        val counts = countsAt(now)
        val elapsed = BigInteger.ZERO.max(now.toBigInteger() - start(counts))
        return Fraction.of(counts.previous) * (Fraction.ONE - Fraction.of(elapsed, period)) + Fraction.of(counts.current)
    }

    override fun add(
        now: Long,
        permits: BigInteger,
    ) {
        val counts = countsAt(now)
        state = counts.withCurrent(counts.current + permits)
    }

    /** Lowers the current count only. With none there is nothing to give back, and nothing changes. */
    override fun remove(
        now: Long,
        permits: BigInteger,
    ) {
        val counts = countsAt(now)
        if (counts.current.signum() > 0) state = counts.withCurrent(BigInteger.ZERO.max(counts.current - permits))
    }

    /** In this window, or in the next, where today's current fades, or else at the one after, where nothing is left. */
    override fun firstAtMost(
        now: Long,
        room: BigInteger,
    ): BigInteger {
        val counts = countsAt(now)
        return firstWithin(counts, room) ?: firstWithin(counts.next(), room) ?: start(counts.next().next())
    }

    /**
     * First whole instant of the window of [counts] at which the level is at most [room], or null.
     * Solved for elapsed: previous × (1 − elapsed/period) + current ≤ room.
     */
    private fun firstWithin(
        counts: Counts,
        room: BigInteger,
    ): BigInteger? {
        val left = room - counts.current
        if (left.signum() < 0) return null
        if (counts.previous <= left) return start(counts)
        val elapsed = (Fraction.of(period) * (Fraction.ONE - Fraction.of(left, counts.previous))).ceil()
        return if (elapsed < period) start(counts) + elapsed else null
    }

    override fun firstEmpty(now: Long): BigInteger {
        val counts = countsAt(now)
        return start(if (counts.current.signum() > 0) counts.next().next() else counts.next())
    }
}

package dev.ratelimit.jvm.model

import java.math.BigInteger

/**
 * What the five rules of the definition share: each has a level, zero for an unused limit, that never rises by itself,
 * and n permits are granted iff level + n ≤ burst.
 */
internal abstract class LevelModel(
    private val burst: Long,
    protected val period: BigInteger,
) : Model {
    init {
        require(burst > 0) { "burst $burst is not positive" }
        require(period.signum() > 0) { "period $period is not positive" }
    }

    /** What counts against the burst at [now]. Changes nothing. */
    protected abstract fun level(now: Long): Fraction

    /** Raises the level at [now] by [permits], whatever it is. */
    protected abstract fun add(
        now: Long,
        permits: BigInteger,
    )

    /** Lowers the level at [now] by [permits], or to zero. */
    protected abstract fun remove(
        now: Long,
        permits: BigInteger,
    )

    /** First whole instant after [now] at which the level is at most [room], when it is above [room] at [now]. */
    protected abstract fun firstAtMost(
        now: Long,
        room: BigInteger,
    ): BigInteger

    /** First whole instant after [now] at which the level is zero, when it is above zero at [now]. */
    protected abstract fun firstEmpty(now: Long): BigInteger

    final override fun tryAcquire(
        now: Long,
        permits: Long,
    ): Boolean {
        val granted = level(now) <= Fraction.of(roomBefore(permits))
        if (granted) add(now, permits.toBigInteger())
        return granted
    }

    final override fun waitFor(
        now: Long,
        permits: Long,
    ): BigInteger {
        val room = roomBefore(permits)
        return if (level(now) <= Fraction.of(room)) BigInteger.ZERO else firstAtMost(now, room) - now.toBigInteger()
    }

    final override fun remaining(now: Long): Long = maxOf(BigInteger.ZERO, (Fraction.of(burst) - level(now)).floor()).longValueExact()

    final override fun resetAfter(now: Long): BigInteger =
        if (level(now) == Fraction.ZERO) BigInteger.ZERO else firstEmpty(now) - now.toBigInteger()

    override fun delay(now: Long): BigInteger = BigInteger.ZERO

    final override fun refund(
        now: Long,
        permits: Long,
    ) = remove(now, positive(permits))

    final override fun debit(
        now: Long,
        permits: Long,
    ) = add(now, positive(permits))

    /** The highest level at which [permits] are granted. */
    private fun roomBefore(permits: Long): BigInteger {
        require(permits in 1..burst) { "$permits permits are not within 1..$burst" }
        return (burst - permits).toBigInteger()
    }

    private fun positive(permits: Long): BigInteger {
        require(permits > 0) { "$permits permits are not positive" }
        return permits.toBigInteger()
    }
}

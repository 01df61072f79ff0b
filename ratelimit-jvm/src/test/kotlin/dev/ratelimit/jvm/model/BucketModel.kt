package dev.ratelimit.jvm.model

import java.math.BigInteger

/**
 * A level that drains at permits / period, kept as the rational instant at which it reaches zero:
 * level(t) = max(0, (emptyAt − t) × permits / period). At an earlier t it is higher, so a step back mints nothing.
 */
internal abstract class BucketModel(
    permits: Long,
    period: BigInteger,
    size: Long,
) : LevelModel(size, period) {
    /** The time that one permit takes to drain. */
    private val interval = Fraction.of(period, permits.also { require(it > 0) { "permits $it are not positive" } }.toBigInteger())

    /** The instant at which the level is zero again; null before the first use. */
    private var emptyAt: Fraction? = null

    /** The exact time from [now] until the level is zero. */
    protected fun untilEmpty(now: Long): Fraction = maxOf(Fraction.ZERO, (emptyAt ?: return Fraction.ZERO) - Fraction.of(now))

    final override fun level(now: Long): Fraction = untilEmpty(now) / interval

    final override fun add(
        now: Long,
        permits: BigInteger,
    ) {
        emptyAt = Fraction.of(now) + untilEmpty(now) + Fraction.of(permits) * interval
    }

    /** emptyAt may fall before [now]; the level is zero then, which is why it never goes below. */
    final override fun remove(
        now: Long,
        permits: BigInteger,
    ) {
        emptyAt = emptyAt?.minus(Fraction.of(permits) * interval)
    }

    final override fun firstAtMost(
        now: Long,
        room: BigInteger,
    ): BigInteger = (Fraction.of(now) + untilEmpty(now) - Fraction.of(room) * interval).ceil()

    final override fun firstEmpty(now: Long): BigInteger = firstAtMost(now, BigInteger.ZERO)
}

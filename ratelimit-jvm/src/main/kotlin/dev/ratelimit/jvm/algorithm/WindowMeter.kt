package dev.ratelimit.jvm.algorithm

import dev.ratelimit.RateLimit

/** What the two window counters share: windows numbered from the epoch of the clock, their starts, and the place of the number. */
internal abstract class WindowMeter(
    limit: RateLimit,
    origin: Long,
) : Meter(limit) {
    @JvmField val period: Long = Pace.windowNanos(limit)

    /** How far the store's origin lies within its window. */
    private val phase = Math.floorMod(origin, period)

    fun indexAt(now: Long): Long = Math.floorDiv(now + phase, period)

    /** Nanoseconds since the start of the window [index]; 0 before it. */
    fun offset(
        index: Long,
        now: Long,
    ): Long = (now - start(index)).coerceAtLeast(0)

    /** The wait from [now] until the start of the window that comes [later] windows after [index]. */
    fun untilStart(
        index: Long,
        later: Long,
        now: Long,
    ): Long {
        val untilNext = start(index) - now + period
        return if (Exact.fits(later - 1, period)) Exact.saturatedSum(untilNext, (later - 1) * period) else Long.MAX_VALUE
    }

    /** [from] without its packing, if it counts the same windows in the same way. */
    protected inline fun <reified T : WindowMeter> samePeriod(from: Meter): T? = (from.plain as? T)?.takeIf { it.period == period }

    /** An index that is ahead by less than a year, and counts. */
    override fun isSound(
        state: LongArray,
        now: Long,
    ): Boolean {
        if (state.size != fresh(now).size) return false
        val index = indexAt(now)
        val ahead = state[INDEX] - index
        val isNear = state[INDEX] <= index || ahead in 0..YEAR / period + 1
        return isNear && (1 until state.size).all { state[it] >= 0 }
    }

    private fun start(index: Long) = index * period - phase

    /** Every state of a window counter begins with the index of its current window. */
    protected companion object {
        const val INDEX = 0
    }
}

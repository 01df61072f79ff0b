package dev.ratelimit.jvm.algorithm

import dev.ratelimit.RateLimit

/**
 * The fixed window counter, as in RFC 6585's "so many requests in a given amount of time" and most HTTP interfaces: time
 * is cut into windows at multiples of the period since the epoch of the clock, and each window counts from zero. The state is the
 * index of a window and its count. An instant before that window (the clock stepped back) counts in it: nothing is reopened.
 */
internal class FixedWindow(
    limit: RateLimit,
    origin: Long,
) : WindowMeter(limit, origin) {
    override fun fresh(now: Long) = longArrayOf(indexAt(now), 0)

    override fun admits(
        state: LongArray,
        now: Long,
        permits: Long,
    ) = permits <= limit.permits() - used(state, now)

    override fun add(
        state: LongArray,
        now: Long,
        permits: Long,
    ): LongArray {
        state[COUNT] = Exact.saturatedSum(used(state, now), permits)
        state[INDEX] = maxOf(state[INDEX], indexAt(now))
        return state
    }

    override fun giveBack(
        state: LongArray,
        now: Long,
        permits: Long,
    ) {
        if (indexAt(now) <= state[INDEX]) state[COUNT] = (state[COUNT] - permits).coerceAtLeast(0)
    }

    override fun remaining(
        state: LongArray,
        now: Long,
    ) = (limit.permits() - used(state, now)).coerceAtLeast(0)

    override fun waitFor(
        state: LongArray,
        now: Long,
        permits: Long,
        ahead: Long,
    ): Long {
        val free = limit.permits() - used(state, now)
        val wanted = Exact.saturatedSum(permits, ahead)
        if (wanted <= free) return 0
        val later = if (ahead == 0L) 1 else Exact.ceilDiv(wanted - free.coerceAtLeast(0), limit.permits())
        return untilStart(maxOf(state[INDEX], indexAt(now)), later, now)
    }

    override fun resetAfter(
        state: LongArray,
        now: Long,
    ) = if (used(state, now) > 0) untilStart(state[INDEX], 1, now) else 0

    override fun carry(
        from: Meter,
        state: LongArray,
        now: Long,
    ) = samePeriod<FixedWindow>(from)?.let { from.unpacked(state).copyOf() } ?: super.carry(from, state, now)

    private fun used(
        state: LongArray,
        now: Long,
    ) = if (indexAt(now) > state[INDEX]) 0 else state[COUNT]

    private companion object {
        const val COUNT = 1
    }
}

package dev.ratelimit.jvm.algorithm

import dev.ratelimit.RateLimit

/**
 * The sliding window counter: Desai, "Counting things, a lot of different things" (Cloudflare, 2017). Two neighbouring fixed windows;
 * the previous one counts by the share of it that one period back from now still covers:
 *
 *     previous * (1 - elapsed / period) + current + n <= permits
 *
 * Multiplied by the period this is a comparison of whole numbers, so nothing is rounded. The state is the index of the
 * current window, its count, and the count of the one before. An instant before the current window is taken as its start.
 */
internal class SlidingWindow(
    limit: RateLimit,
    origin: Long,
) : WindowMeter(limit, origin) {
    override fun fresh(now: Long) = longArrayOf(indexAt(now), 0, 0)

    override fun admits(
        state: LongArray,
        now: Long,
        permits: Long,
    ): Boolean {
        val index = index(state, now)
        return fits(previous(state, index), current(state, index), offset(index, now), permits)
    }

    override fun add(
        state: LongArray,
        now: Long,
        permits: Long,
    ): LongArray {
        val index = index(state, now)
        val previous = previous(state, index)
        state[CURRENT] = Exact.saturatedSum(current(state, index), permits)
        state[PREVIOUS] = previous
        state[INDEX] = index
        return state
    }

    override fun giveBack(
        state: LongArray,
        now: Long,
        permits: Long,
    ) {
        if (index(state, now) == state[INDEX]) state[CURRENT] = (state[CURRENT] - permits).coerceAtLeast(0)
    }

    override fun remaining(
        state: LongArray,
        now: Long,
    ): Long {
        val index = index(state, now)
        val weighted = Exact.mulDivUp(previous(state, index), period - offset(index, now), period)
        return (limit.permits() - Exact.saturatedSum(current(state, index), weighted)).coerceAtLeast(0)
    }

    override fun waitFor(
        state: LongArray,
        now: Long,
        permits: Long,
        ahead: Long,
    ): Long {
        var index = index(state, now)
        var previous = previous(state, index)
        var current = current(state, index)
        val wanted = Exact.saturatedSum(permits, ahead)
        if (fits(previous, current, offset(index, now), wanted)) return 0
        // The wanted permits that do not fit into the current window even when the previous one has left it.
        var left = wanted
        var filled = 0L
        if (wanted > limit.permits() - current) {
            left = if (ahead == 0L) wanted else wanted - (limit.permits() - current).coerceAtLeast(0)
            previous = if (ahead == 0L) current else maxOf(current, limit.permits())
            current = 0
            index++
            // Every window on the way is filled to its last permit.
            filled = (left - 1) / limit.permits()
            if (filled > 0) {
                left -= filled * limit.permits()
                previous = limit.permits()
            }
        }
        val room = limit.permits() - current - left
        // previous * (period - elapsed) <= room * period, solved for the least elapsed
        val covered = if (previous == 0L) period else Exact.mulDivDown(room, period, previous).coerceAtMost(period)
        val end = untilStart(index, 1 + filled, now)
        return if (end == Long.MAX_VALUE) end else end - covered
    }

    override fun resetAfter(
        state: LongArray,
        now: Long,
    ): Long {
        val index = index(state, now)
        return when {
            current(state, index) > 0 -> untilStart(index, 2, now)
            previous(state, index) > 0 -> untilStart(index, 1, now)
            else -> 0
        }
    }

    override fun carry(
        from: Meter,
        state: LongArray,
        now: Long,
    ) = samePeriod<SlidingWindow>(from)?.let { from.unpacked(state).copyOf() } ?: super.carry(from, state, now)

    private fun fits(
        previous: Long,
        current: Long,
        elapsed: Long,
        permits: Long,
    ): Boolean {
        val free = limit.permits() - current
        return permits <= free && Exact.productAtMost(previous, period - elapsed, free - permits, period)
    }

    private fun index(
        state: LongArray,
        now: Long,
    ) = maxOf(state[INDEX], indexAt(now))

    private fun current(
        state: LongArray,
        index: Long,
    ) = if (index == state[INDEX]) state[CURRENT] else 0

    private fun previous(
        state: LongArray,
        index: Long,
    ) = when (index) {
        state[INDEX] -> state[PREVIOUS]
        state[INDEX] + 1 -> state[CURRENT]
        else -> 0
    }

    private companion object {
        const val CURRENT = 1
        const val PREVIOUS = 2
    }
}

package dev.ratelimit.jvm.algorithm

import dev.ratelimit.RateLimit

/**
 * The sliding log: every grant is remembered for one period, so any half-open window of one period, wherever it starts, holds at
 * most the permits. Exact by definition; the "sliding window log" of Figma's and Stripe's write-ups, without their sorted set, in
 * which grants at the same instant collapse.
 *
 * The state is a ring of entries: an instant, and the running total of permits granted up to and including it. The
 * permits in force are then a difference of two totals, found by binary search; grants at one instant share an entry. An
 * instant before the newest grant (the clock stepped back) is taken as that grant's.
 */
internal class SlidingLog(
    limit: RateLimit,
) : Meter(limit) {
    private val period = Pace.windowNanos(limit)

    override fun fresh(now: Long) = LongArray(HEADER + INITIAL_ENTRIES * ENTRY).also { it[NEWEST] = now }

    override fun admits(
        state: LongArray,
        now: Long,
        permits: Long,
    ) = permits <= limit.permits() - active(state, now)

    override fun isSound(
        state: LongArray,
        now: Long,
    ): Boolean {
        if (state.size < HEADER + ENTRY || (state.size - HEADER) % ENTRY != 0) return false
        val capacity = capacity(state)
        if (state[START] !in 0 until capacity || state[SIZE] !in 0..capacity || state[NEWEST] > Exact.saturatedSum(now, YEAR)) return false
        var instant = Long.MIN_VALUE
        var total = state[BASE]
        var at = at(state, 0)
        for (i in 0 until size(state)) {
            if (state[at] < instant || state[at + TOTAL] - total < 0) return false
            instant = state[at]
            total = state[at + TOTAL]
            at += ENTRY
            if (at == state.size) at = HEADER
        }
        return instant <= state[NEWEST] && total - state[BASE] >= 0
    }

    override fun add(
        state: LongArray,
        now: Long,
        permits: Long,
    ): LongArray {
        val instant = effective(state, now)
        state[NEWEST] = instant
        drop(state, firstActive(state, instant))
        val size = size(state)
        // Debt ends where 64 bits do.
        val total = total(state) + permits.coerceAtMost(Long.MAX_VALUE - (total(state) - state[BASE]))
        if (size > 0 && instant(state, size - 1) == instant) {
            state[at(state, size - 1) + TOTAL] = total
            return state
        }
        val roomy = if (size == capacity(state)) grown(state) else state
        val place = at(roomy, size)
        roomy[place] = instant
        roomy[place + TOTAL] = total
        roomy[SIZE]++
        return roomy
    }

    /** The oldest go first: which grant comes back is not known, and that one would have come back soonest by itself. */
    override fun giveBack(
        state: LongArray,
        now: Long,
        permits: Long,
    ) {
        val first = firstActive(state, effective(state, now))
        val before = totalBefore(state, first)
        val base = before + permits.coerceAtMost(total(state) - before)
        drop(state, firstReaching(state, first, base + 1))
        state[BASE] = base
    }

    override fun remaining(
        state: LongArray,
        now: Long,
    ) = (limit.permits() - active(state, now)).coerceAtLeast(0)

    override fun waitFor(
        state: LongArray,
        now: Long,
        permits: Long,
        ahead: Long,
    ): Long {
        val instant = effective(state, now)
        val first = firstActive(state, instant)
        val active = total(state) - totalBefore(state, first)
        val excess = Exact.saturatedSum(active, Exact.saturatedSum(permits, ahead)) - limit.permits()
        if (excess <= 0) return 0
        // The wait ends when that many permits have left. Each makes room for one in line, which leaves a period later.
        val inForce = maxOf(active, limit.permits())
        val round = (excess - 1) / inForce
        val leaving = (excess - 1) % inForce + 1
        val left = if (leaving > active) instant else instant(state, firstReaching(state, first, totalBefore(state, first) + leaving))
        val rounds = if (Exact.fits(round, period)) round * period else Long.MAX_VALUE
        return Exact.saturatedSum(left - now + period, rounds)
    }

    override fun resetAfter(
        state: LongArray,
        now: Long,
    ) = if (active(state, now) > 0) instant(state, size(state) - 1) - now + period else 0

    override fun carry(
        from: Meter,
        state: LongArray,
        now: Long,
    ) = if (from is SlidingLog) state.copyOf() else super.carry(from, state, now)

    private fun effective(
        state: LongArray,
        now: Long,
    ) = maxOf(now, state[NEWEST])

    private fun active(
        state: LongArray,
        now: Long,
    ) = total(state) - totalBefore(state, firstActive(state, effective(state, now)))

    /** The first entry that still counts at [instant]; the size when none does. */
    private fun firstActive(
        state: LongArray,
        instant: Long,
    ) = search(size(state)) { instant - instant(state, it) < period }

    private fun firstReaching(
        state: LongArray,
        from: Int,
        total: Long,
    ) = search(size(state), from) { state[at(state, it) + TOTAL] - total >= 0 }

    /** Forgets the [count] oldest entries. */
    private fun drop(
        state: LongArray,
        count: Int,
    ) {
        if (count == 0) return
        state[BASE] = totalBefore(state, count)
        state[START] = (state[START] + count) % capacity(state)
        state[SIZE] -= count.toLong()
    }

    private fun grown(state: LongArray): LongArray {
        val larger = LongArray(HEADER + 2 * capacity(state) * ENTRY)
        larger[SIZE] = state[SIZE]
        larger[BASE] = state[BASE]
        larger[NEWEST] = state[NEWEST]
        for (i in 0 until size(state)) {
            larger[HEADER + i * ENTRY] = instant(state, i)
            larger[HEADER + i * ENTRY + TOTAL] = state[at(state, i) + TOTAL]
        }
        return larger
    }

    /**
     * [state] with no more than [most] entries: of neighbours the earlier is forgotten, and its permits count from the later one's
     * instant on. That is toward less, and by no more than the time between two grants.
     */
    fun coarsened(
        state: LongArray,
        most: Int,
    ): LongArray {
        if (size(state) <= most) return state
        val kept = (size(state) + 1) / 2
        val coarse = LongArray(HEADER + 2 * kept * ENTRY)
        coarse[SIZE] = kept.toLong()
        coarse[BASE] = state[BASE]
        coarse[NEWEST] = state[NEWEST]
        for (i in 0 until kept) {
            val from = size(state) - 1 - 2 * (kept - 1 - i)
            coarse[HEADER + i * ENTRY] = instant(state, from)
            coarse[HEADER + i * ENTRY + TOTAL] = state[at(state, from) + TOTAL]
        }
        return coarsened(coarse, most)
    }

    private fun size(state: LongArray) = state[SIZE].toInt()

    private fun capacity(state: LongArray) = (state.size - HEADER) / ENTRY

    private fun at(
        state: LongArray,
        i: Int,
    ) = HEADER + ((state[START].toInt() + i) % capacity(state)) * ENTRY

    private fun instant(
        state: LongArray,
        i: Int,
    ) = state[at(state, i)]

    private fun total(state: LongArray) = totalBefore(state, size(state))

    private fun totalBefore(
        state: LongArray,
        i: Int,
    ) = if (i == 0) state[BASE] else state[at(state, i - 1) + TOTAL]

    private companion object {
        const val START = 0
        const val SIZE = 1
        const val BASE = 2
        const val NEWEST = 3
        const val HEADER = 4
        const val ENTRY = 2
        const val TOTAL = 1
        const val INITIAL_ENTRIES = 2

        /** The least index from [from] up to [size] at which [reached] holds; it holds for all that follow. */
        inline fun search(
            size: Int,
            from: Int = 0,
            reached: (Int) -> Boolean,
        ): Int {
            var low = from
            var high = size
            while (low < high) {
                val middle = (low + high) ushr 1
                if (reached(middle)) high = middle else low = middle + 1
            }
            return low
        }
    }
}

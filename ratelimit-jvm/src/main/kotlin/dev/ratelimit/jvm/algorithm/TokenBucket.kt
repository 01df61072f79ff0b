package dev.ratelimit.jvm.algorithm

import dev.ratelimit.RateLimit

/** The narrowest meter that holds [limit] exactly: one word for nearly all, three for very uneven or very large numbers. */
internal fun tokenBucket(limit: RateLimit): Meter {
    val pace = Pace.of(limit)
    return if (TokenBucket.fits(pace, limit.burst())) TokenBucket(limit, pace) else WideTokenBucket(limit, pace)
}

/**
 * The token bucket as the Generic Cell Rate Algorithm in its form of virtual scheduling: ITU-T Recommendation I.371,
 * annex A. The state is the instant at which the bucket is full again; nothing has to be refilled, and an idle bucket costs
 * nothing.
 *
 * The rate is p permits in q nanoseconds, reduced. Instants are counted in units of 1/p nanosecond, where every permit weighs
 * exactly q, so no fraction is ever rounded. They are compared by difference, so they may wrap around; p is kept small enough
 * for a bucket to be idle for ten years and more.
 */
internal open class TokenBucket(
    limit: RateLimit,
    private val pace: Pace,
) : WordMeter(limit) {
    private val unitsPerNano = pace.permits
    private val unitsPerPermit = pace.nanos
    private val capacity = limit.burst() * pace.nanos

    final override fun freshWord(now: Long) = legal(now * unitsPerNano)

    final override fun take(
        word: Long,
        now: Long,
        permits: Long,
    ): Long {
        val instant = now * unitsPerNano
        val level = level(word, instant) + permits * unitsPerPermit
        return if (level <= capacity) legal(instant + level) else REFUSED
    }

    final override fun addTo(
        word: Long,
        now: Long,
        permits: Long,
    ): Long {
        val instant = now * unitsPerNano
        val cost = if (Exact.fits(permits, unitsPerPermit)) permits * unitsPerPermit else MAX_LEVEL
        return legal(instant + Exact.saturatedSum(level(word, instant), cost).coerceAtMost(MAX_LEVEL))
    }

    final override fun giveBackTo(
        word: Long,
        now: Long,
        permits: Long,
    ): Long {
        if (level(word, now * unitsPerNano) == 0L) return word
        val value = if (Exact.fits(permits, unitsPerPermit)) permits * unitsPerPermit else MAX_LEVEL
        return legal(word - value.coerceAtMost(MAX_LEVEL))
    }

    final override fun remainingOf(
        word: Long,
        now: Long,
    ): Long {
        val free = capacity - level(word, now * unitsPerNano)
        return if (free > 0) free / unitsPerPermit else 0
    }

    final override fun waitOf(
        word: Long,
        now: Long,
        permits: Long,
        ahead: Long,
    ): Long {
        val level = level(word, now * unitsPerNano)
        val wanted = Exact.saturatedSum(permits, ahead)
        if (!Exact.fits(wanted, unitsPerPermit)) return Long.MAX_VALUE
        val excess = Exact.saturatedSum(level, wanted * unitsPerPermit) - capacity
        return if (excess > 0) Exact.ceilDiv(excess, unitsPerNano) else 0
    }

    final override fun resetOf(
        word: Long,
        now: Long,
    ) = Exact.ceilDiv(level(word, now * unitsPerNano), unitsPerNano)

    final override fun carry(
        from: Meter,
        state: LongArray,
        now: Long,
    ): LongArray {
        val level = carriedLevel(limit, from, state, now) ?: return super.carry(from, state, now)
        val rest = Exact.mulDivUp(level.rest, unitsPerPermit, level.restPer)
        val whole = if (Exact.fits(level.permits, unitsPerPermit)) level.permits * unitsPerPermit else MAX_LEVEL
        val units = Exact.saturatedSum(whole, rest).coerceAtMost(MAX_LEVEL)
        return longArrayOf(legal(now * unitsPerNano + units))
    }

    /** What is in use now, as a mixed number of permits. */
    fun levelOf(
        word: Long,
        now: Long,
    ): Level {
        val level = level(word, now * unitsPerNano)
        return Level(level / unitsPerPermit, level % unitsPerPermit, unitsPerPermit)
    }

    /** Permits in use, in units. A difference beyond any possible level is a bucket that was full before instants wrapped around. */
    private fun level(
        word: Long,
        instant: Long,
    ): Long {
        val level = word - instant
        return if (level < 0 || level > LEVEL_LIMIT) 0 else level
    }

    companion object {
        /** Ten years in nanoseconds; the least time for which an idle bucket is told from a used one. */
        private const val TEN_YEARS = 315_576_000_000_000_000L
        private const val CAPACITY_LIMIT = 1L shl 61
        private const val MAX_LEVEL = 1L shl 62

        /** Above the greatest level by as much again, for clocks that step back. */
        private const val LEVEL_LIMIT = (1L shl 62) + (1L shl 61)

        fun fits(
            pace: Pace,
            burst: Long,
        ): Boolean =
            pace.permits <= Long.MAX_VALUE / TEN_YEARS && Exact.fits(burst, pace.nanos) && burst * pace.nanos <= CAPACITY_LIMIT
    }
}

package dev.ratelimit.jvm.algorithm

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimit

/**
 * One limit's arithmetic: pure functions over a bucket's state and an instant. The state is an array of longs that only the
 * meter reads; an instant is nanoseconds since the store's origin, so it grows from zero and does not wrap.
 *
 * Nothing here looks at a clock, takes a lock or remembers a call. Questions change nothing; [add] and [giveBack] change the
 * state in place, or return a larger array to use from then on.
 */
internal abstract class Meter(
    @JvmField val limit: RateLimit,
) {
    /** The state of a bucket that was never used. */
    abstract fun fresh(now: Long): LongArray

    /** Whether [permits] (1 to the burst) are there. */
    abstract fun admits(
        state: LongArray,
        now: Long,
        permits: Long,
    ): Boolean

    /** Takes [permits], whether they are there (a grant) or not (debt). */
    abstract fun add(
        state: LongArray,
        now: Long,
        permits: Long,
    ): LongArray

    /** Returns [permits], up to full. */
    abstract fun giveBack(
        state: LongArray,
        now: Long,
        permits: Long,
    )

    /** The most permits that [admits] would say yes to. */
    abstract fun remaining(
        state: LongArray,
        now: Long,
    ): Long

    /**
     * The least wait after which [permits] are there: exact for [ahead] = 0. With [ahead] permits to be granted to others first,
     * a lower bound, exact for buckets.
     */
    abstract fun waitFor(
        state: LongArray,
        now: Long,
        permits: Long,
        ahead: Long,
    ): Long

    /** The least wait after which the state equals a fresh one; 0 if it does now. */
    abstract fun resetAfter(
        state: LongArray,
        now: Long,
    ): Long

    /**
     * Whether [state] is one that calls up to [now] can have made. One that was read from where others write need not be; then nothing else
     * here may be asked of it. A clock may step back, but not by a year.
     */
    abstract fun isSound(
        state: LongArray,
        now: Long,
    ): Boolean

    /** How long a call that is accepted now waits for its turn. */
    open fun delay(
        state: LongArray,
        now: Long,
    ): Long = 0

    /** The meter that a packed one stands for, and the state as that one reads it; this meter and state where nothing is packed. */
    open val plain: Meter get() = this

    /** See [plain]. */
    open fun unpacked(state: LongArray): LongArray = state

    /** The state under this limit of a bucket that [from] ruled until now: what was used stays used. */
    open fun carry(
        from: Meter,
        state: LongArray,
        now: Long,
    ): LongArray {
        val used = (from.limit.burst() - from.remaining(state, now)).coerceAtMost(limit.burst())
        val fresh = fresh(now)
        return if (used > 0) add(fresh, now, used) else fresh
    }

    companion object {
        /** The most that an instant in a state is ahead of the clock, in nanoseconds. */
        const val YEAR = 31_557_600_000_000_000L

        /** The meter of [limit] in a store whose instants count from the reading [origin] of its clock. */
        fun of(
            limit: RateLimit,
            origin: Long,
        ): Meter =
            when (limit.algorithm()) {
                Algorithm.TOKEN_BUCKET -> tokenBucket(limit)
                Algorithm.LEAKY_BUCKET -> leakyBucket(limit)
                Algorithm.FIXED_WINDOW -> packedIfFits(FixedWindow(limit, origin), counts = 1)
                Algorithm.SLIDING_WINDOW -> packedIfFits(SlidingWindow(limit, origin), counts = 2)
                Algorithm.SLIDING_LOG -> SlidingLog(limit)
            }
    }
}

package dev.ratelimit.jvm.algorithm

import dev.ratelimit.RateLimit
import dev.ratelimit.spi.Reading

/**
 * A meter whose whole state is one long, so that a compare-and-set is the whole critical section. Its functions take the word
 * itself; the array form of [Meter] is the same with the word at index 0.
 *
 * States never take the values up to [LAST_RESERVED], which stores use as marks.
 */
internal abstract class WordMeter(
    limit: RateLimit,
) : Meter(limit),
    Reading {
    final override fun remaining(
        state: Long,
        now: Long,
    ): Long = remainingOf(state, now)

    final override fun retryAfterNanos(
        state: Long,
        now: Long,
        permits: Long,
        maxDelayNanos: Long,
    ): Long {
        val untilRoom = waitOf(state, now, permits, 0)
        return if (maxDelayNanos == Long.MAX_VALUE) untilRoom else maxOf(untilRoom, delayOf(state, now) - maxDelayNanos)
    }

    final override fun resetAfterNanos(
        state: Long,
        now: Long,
    ): Long = resetOf(state, now)

    abstract fun freshWord(now: Long): Long

    /** The state after granting [permits], or [REFUSED]. */
    abstract fun take(
        word: Long,
        now: Long,
        permits: Long,
    ): Long

    abstract fun addTo(
        word: Long,
        now: Long,
        permits: Long,
    ): Long

    abstract fun giveBackTo(
        word: Long,
        now: Long,
        permits: Long,
    ): Long

    abstract fun remainingOf(
        word: Long,
        now: Long,
    ): Long

    abstract fun waitOf(
        word: Long,
        now: Long,
        permits: Long,
        ahead: Long,
    ): Long

    abstract fun resetOf(
        word: Long,
        now: Long,
    ): Long

    open fun delayOf(
        word: Long,
        now: Long,
    ): Long = 0

    /** See [isSound]; any word can be the state of a bucket in debt. */
    open fun isSoundWord(
        word: Long,
        now: Long,
    ): Boolean = true

    final override fun isSound(
        state: LongArray,
        now: Long,
    ) = state.size == 1 && isSoundWord(state[0], now)

    final override fun fresh(now: Long) = longArrayOf(freshWord(now))

    final override fun admits(
        state: LongArray,
        now: Long,
        permits: Long,
    ) = take(state[0], now, permits) != REFUSED

    final override fun add(
        state: LongArray,
        now: Long,
        permits: Long,
    ) = state.also { it[0] = addTo(it[0], now, permits) }

    final override fun giveBack(
        state: LongArray,
        now: Long,
        permits: Long,
    ) {
        state[0] = giveBackTo(state[0], now, permits)
    }

    final override fun remaining(
        state: LongArray,
        now: Long,
    ) = remainingOf(state[0], now)

    final override fun waitFor(
        state: LongArray,
        now: Long,
        permits: Long,
        ahead: Long,
    ) = waitOf(state[0], now, permits, ahead)

    final override fun resetAfter(
        state: LongArray,
        now: Long,
    ) = resetOf(state[0], now)

    final override fun delay(
        state: LongArray,
        now: Long,
    ) = delayOf(state[0], now)

    companion object {
        /** The answer of [take] that is not a state. */
        const val REFUSED = Long.MIN_VALUE

        /** The greatest value that is never a state. */
        const val LAST_RESERVED = Long.MIN_VALUE + 1

        /** [word], or the next value that can be a state: later by one unit in 2⁶³, which is toward less. */
        fun legal(word: Long): Long = if (word <= LAST_RESERVED) LAST_RESERVED + 1 else word
    }
}

package dev.ratelimit.jvm.algorithm

import dev.ratelimit.RateLimit
import java.math.BigInteger

/**
 * [TokenBucket] for numbers that one word cannot hold: a burst of [Long.MAX_VALUE], 999,999,937 a second. The same rule, from the
 * same source, on a state of three words: an instant, and the level at that instant in permits and q-ths of a permit.
 */
internal open class WideTokenBucket(
    limit: RateLimit,
    private val pace: Pace,
) : Meter(limit) {
    final override fun fresh(now: Long) = longArrayOf(now, 0, 0)

    final override fun admits(
        state: LongArray,
        now: Long,
        permits: Long,
    ) = permits <= free(levelOf(state, now))

    final override fun isSound(
        state: LongArray,
        now: Long,
    ) = state.size == WORDS && state[PERMITS] >= 0 && state[REST] in 0 until pace.nanos && state[INSTANT] <= Exact.saturatedSum(now, YEAR)

    final override fun add(
        state: LongArray,
        now: Long,
        permits: Long,
    ): LongArray {
        val level = levelOf(state, now)
        return state.also { set(it, now, Exact.saturatedSum(level.permits, permits), level.rest) }
    }

    final override fun giveBack(
        state: LongArray,
        now: Long,
        permits: Long,
    ) {
        val level = levelOf(state, now)
        val left = level.permits - permits
        if (left < 0) set(state, now, 0, 0) else set(state, now, left, level.rest)
    }

    final override fun remaining(
        state: LongArray,
        now: Long,
    ) = free(levelOf(state, now)).coerceAtLeast(0)

    final override fun waitFor(
        state: LongArray,
        now: Long,
        permits: Long,
        ahead: Long,
    ): Long {
        val level = levelOf(state, now)
        val wanted = Exact.saturatedSum(permits, ahead)
        val missing = wanted - (limit.burst() - level.permits)
        return when {
            // Overflow: more is missing than 64 bits can count.
            missing < 0 && wanted > 0 && limit.burst() - level.permits < 0 -> Long.MAX_VALUE
            missing < 0 || (missing == 0L && level.rest == 0L) -> 0
            else -> Exact.mulAddDivUp(missing, pace.nanos, level.rest, pace.permits)
        }
    }

    final override fun resetAfter(
        state: LongArray,
        now: Long,
    ): Long {
        val level = levelOf(state, now)
        return Exact.mulAddDivUp(level.permits, pace.nanos, level.rest, pace.permits)
    }

    final override fun carry(
        from: Meter,
        state: LongArray,
        now: Long,
    ): LongArray {
        val level = carriedLevel(limit, from, state, now) ?: return super.carry(from, state, now)
        val rest = Exact.mulDivUp(level.rest, pace.nanos, level.restPer)
        return LongArray(WORDS).also {
            if (rest < pace.nanos) {
                set(it, now, level.permits, rest)
            } else {
                set(it, now, Exact.saturatedSum(level.permits, 1), 0)
            }
        }
    }

    /** What is in use now: the level at the state's instant, less what has drained since. */
    fun levelOf(
        state: LongArray,
        now: Long,
    ): Level {
        val elapsed = now - state[INSTANT]
        val span = if (elapsed < 0) -elapsed else elapsed
        val drained: Long
        val drainedRest: Long
        if (Exact.fits(span, pace.permits)) {
            drained = span * pace.permits / pace.nanos
            drainedRest = span * pace.permits % pace.nanos
        } else {
            val (whole, rest) =
                BigInteger.valueOf(span).multiply(BigInteger.valueOf(pace.permits)).divideAndRemainder(BigInteger.valueOf(pace.nanos))
            drained = if (whole.bitLength() < Long.SIZE_BITS) whole.toLong() else Long.MAX_VALUE
            drainedRest = rest.toLong()
        }
        return if (elapsed >= 0) lowered(state, drained, drainedRest) else raised(state, drained, drainedRest)
    }

    private fun lowered(
        state: LongArray,
        drained: Long,
        drainedRest: Long,
    ): Level {
        val borrow = state[REST] < drainedRest
        val permits = state[PERMITS] - drained - if (borrow) 1 else 0
        val rest = state[REST] - drainedRest + if (borrow) pace.nanos else 0
        return if (permits < 0) Level(0, 0, pace.nanos) else Level(permits, rest, pace.nanos)
    }

    /** The clock has stepped back: at an earlier instant less had drained. */
    private fun raised(
        state: LongArray,
        drained: Long,
        drainedRest: Long,
    ): Level {
        val carry = state[REST] >= pace.nanos - drainedRest
        val rest = if (carry) state[REST] - (pace.nanos - drainedRest) else state[REST] + drainedRest
        val permits = Exact.saturatedSum(Exact.saturatedSum(state[PERMITS], drained), if (carry) 1 else 0)
        return Level(permits, rest, pace.nanos)
    }

    /** Whole permits that are free; negative in debt. */
    private fun free(level: Level) = limit.burst() - level.permits - if (level.rest > 0) 1 else 0

    private fun set(
        state: LongArray,
        now: Long,
        permits: Long,
        rest: Long,
    ) {
        state[INSTANT] = now
        state[PERMITS] = permits
        state[REST] = rest
    }

    private companion object {
        const val INSTANT = 0
        const val PERMITS = 1
        const val REST = 2
        const val WORDS = 3
    }
}

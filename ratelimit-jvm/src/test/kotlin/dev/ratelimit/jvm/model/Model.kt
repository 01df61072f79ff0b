package dev.ratelimit.jvm.model

import java.math.BigInteger

/**
 * One limit for one key, computed exactly and without regard to speed, from the definitions.
 * `now` is in nanoseconds, of any sign, and may step back. Permits ≤ 0 are refused everywhere with
 * [IllegalArgumentException], and so are permits above the burst in [tryAcquire] and [waitFor]; nothing changes then.
 */
internal interface Model {
    /** Grants or refuses [permits] at instant [now], and changes the state only when granted. */
    fun tryAcquire(
        now: Long,
        permits: Long,
    ): Boolean

    /** Least whole number of nanoseconds w ≥ 0 such that a call at [now] + w would be granted if nothing else happened. */
    fun waitFor(
        now: Long,
        permits: Long,
    ): BigInteger

    /** The most permits that would be granted by one call now, from 0 to the burst. */
    fun remaining(now: Long): Long

    /** Least whole number of nanoseconds until the state equals that of an unused limit; 0 if it is so now. */
    fun resetAfter(now: Long): BigInteger

    /** Leaky bucket: nanoseconds (rounded up) until the turn of a call accepted now, asked before that call. Others: zero. */
    fun delay(now: Long): BigInteger

    /** Gives back [permits], never above full. */
    fun refund(
        now: Long,
        permits: Long,
    )

    /** Takes [permits] without asking, into debt if need be. */
    fun debit(
        now: Long,
        permits: Long,
    )
}

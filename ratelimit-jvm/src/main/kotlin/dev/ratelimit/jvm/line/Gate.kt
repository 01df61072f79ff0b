package dev.ratelimit.jvm.line

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimitResult

/**
 * What a waiting line stands in front of: the limits of one limiter for one key. Instants are readings of [clock].
 *
 * [tryAcquire] may suspend only before it charges. Once permits are charged it returns without another suspension point, so that
 * no cancellation can come between a charge and the caller who is to have it.
 */
internal interface Gate {
    val clock: NanoClock

    /**
     * Whether a call may be charged at the instant at which it was due, if its timer fired late. True where only the sum of permits
     * up to an instant counts (token buckets); false where a real window is promised.
     */
    val chargesAtTurn: Boolean

    suspend fun tryAcquire(
        at: Long,
        permits: Long,
        maxDelay: Long,
    ): RateLimitResult

    /** How long to sleep when there is so long to wait: a store behind a wire is asked for a turn a little before it. */
    fun sleepFor(wait: Long): Long = wait

    /** Nobody waits in line any more. */
    fun lineEmptied() = Unit

    /** What is to be expected of a call made now behind others that wait for [ahead] permits; changes nothing. */
    suspend fun peek(
        permits: Long,
        ahead: Long,
    ): RateLimitResult
}

package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimitResult
import dev.ratelimit.spi.Reservation

/** The script's answer to one request: seven numbers, times in microseconds, and what follows them. See store.lua. */
internal class Numbers(
    private val all: LongArray,
    private val from: Int,
    private val limits: List<RedisLimit>,
    private val isGranted: Boolean = all[from] > 0,
    private val remaining: Long = all[from + REMAINING],
) {
    /** How many of those who asked the same were granted what they asked for; or [DAMAGED]. */
    val status: Long get() = all[from]

    /** The number of the damaged bucket, if [status] says that one is. */
    val damaged: Int get() = all[from + LIMIT].toInt()

    /** The last of the seven numbers but one: a delay, or how many permits were taken. */
    val extra: Long get() = all[from + EXTRA]

    /** Where the next request's numbers begin. */
    val end: Int get() = from + SIZE + all[from + FOLLOWING].toInt()

    /** What they mean to one of several callers who asked for so many permits each: the first ones got them. */
    fun of(
        caller: Int,
        permits: Long,
    ): Numbers =
        when {
            status <= 1 && caller == 0 -> this
            caller >= status -> Numbers(all, from, limits, false, remaining)
            else -> Numbers(all, from, limits, true, remaining + (status - 1 - caller) * permits)
        }

    fun result(delay: Long = extra): RateLimitResult {
        val limit = limits[all[from + LIMIT].toInt() - 1].limit
        return if (isGranted) {
            RateLimitResult.allowed(limit, remaining, nanos(all[from + RESET]), nanos(delay))
        } else {
            RateLimitResult.denied(limit, remaining, nanos(all[from + WAIT]), nanos(all[from + RESET]))
        }
    }

    fun reservation(): Reservation = Reservation.of(result(), *LongArray(all[from + FOLLOWING].toInt()) { nanos(all[from + SIZE + it]) })

    /** What is too long for the numbers of Lua is for ever. */
    private fun nanos(micros: Long) = if (micros > Long.MAX_VALUE / NANOS_PER_MICRO) Long.MAX_VALUE else micros * NANOS_PER_MICRO

    companion object {
        const val NANOS_PER_MICRO = 1_000L
        const val DAMAGED = -1L
        private const val LIMIT = 1
        private const val REMAINING = 2
        private const val WAIT = 3
        private const val RESET = 4
        private const val EXTRA = 5
        private const val FOLLOWING = 6
        private const val SIZE = 7
    }
}

package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimitResult
import dev.ratelimit.spi.Reservation

/**
 * What a script has answered to one request.
 *
 * @param result null for a request that decides nothing
 * @param taken how many permits were taken, for a request that leaves it to the script
 * @param waits of a request for turns, nanoseconds until each
 */
internal class Answer(
    private val result: RateLimitResult?,
    val taken: Long = 0,
    private val waits: LongArray = NONE,
) {
    fun result(): RateLimitResult = checkNotNull(result) { "the request decides something" }

    fun reservation(): Reservation = Reservation.of(result(), *waits)

    companion object {
        private val NONE = LongArray(0)
        private const val NANOS_PER_MICRO = 1_000L

        /** What is too long for the numbers of Lua is for ever. */
        fun nanos(micros: Long): Long = if (micros > Long.MAX_VALUE / NANOS_PER_MICRO) Long.MAX_VALUE else micros * NANOS_PER_MICRO

        fun micros(nanos: Long): Long = nanos / NANOS_PER_MICRO
    }
}

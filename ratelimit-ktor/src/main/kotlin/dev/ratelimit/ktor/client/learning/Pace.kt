package dev.ratelimit.ktor.client.learning

import dev.ratelimit.NanoClock

/**
 * The share of its limit that a bucket is used at: halved by a refusal, raised by 5 % of the limit for each second in which answers
 * are good, and never above 1 (additive increase, multiplicative decrease: Chiu and Jain 1989). Thread-safe.
 */
internal class Pace(
    private val clock: NanoClock,
) {
    private var share = 1.0
    private var changedAt = clock.nanoTime()
    private var owed = 0.0

    /** The share now, 1/64 to 1. */
    val now: Double @Synchronized get() = share

    /** Refusals of requests that were sent before the last decrease are answered by it. True if this one was not. */
    @Synchronized
    fun refused(sentAt: Long): Boolean {
        if (share < 1 && sentAt - changedAt < 0) return false
        share = (share / 2).coerceAtLeast(LEAST)
        changedAt = clock.nanoTime()
        return true
    }

    @Synchronized
    fun served() {
        if (share >= 1) return
        val now = clock.nanoTime()
        val seconds = (now - changedAt) / NANOS_PER_SECOND
        share = (share + seconds * INCREASE).coerceAtMost(1.0)
        changedAt = now
    }

    /** What [permits] cost beyond themselves at this share, in whole permits; the rest is owed by the next. */
    @Synchronized
    fun surcharge(permits: Long): Long {
        if (share >= 1) return 0
        owed += permits / share - permits
        return owed.toLong().also { owed -= it }
    }

    private companion object {
        const val LEAST = 1.0 / 64
        const val INCREASE = 0.05
        const val NANOS_PER_SECOND = 1e9
    }
}

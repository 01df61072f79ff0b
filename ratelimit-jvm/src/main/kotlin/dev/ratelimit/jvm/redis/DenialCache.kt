package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimitResult
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import java.util.concurrent.atomic.AtomicReferenceArray

/**
 * Refuses what Redis has refused, until the time that Redis told is over: the same charges of the same buckets. A table with one place for
 * each hash of a limiter and key, where the newer denial takes the place of the older: bounded, and without a lock. Lists that reach over
 * several keys are not kept, because a reset of the second key would not find them.
 */
internal class DenialCache(
    size: Int,
    private val clock: () -> Long = System::nanoTime,
) {
    private sealed interface Entry

    private class Denial(
        val charges: List<Charge>,
        val maxDelay: Long,
        val result: RateLimitResult,
        val at: Long,
    ) : Entry

    /** Until then the buckets changed; what was asked before may not hold any more. */
    private class Changed(
        val at: Long,
    ) : Entry

    private val entries = AtomicReferenceArray<Entry>(Integer.highestOneBit(size.coerceAtMost(LARGEST)))

    fun find(
        charges: List<Charge>,
        maxDelay: Long,
    ): RateLimitResult? {
        val place = placeOf(charges[0].key)
        val denial = entries[place] as? Denial ?: return null
        if (denial.maxDelay != maxDelay || denial.charges != charges) return null
        val since = clock() - denial.at
        val left = denial.result.retryAfterNanos() - since
        if (left > 0) {
            val reset = (denial.result.resetAfterNanos() - since).coerceAtLeast(left)
            return RateLimitResult.denied(denial.result.limit(), denial.result.remaining(), left, reset)
        }
        entries.compareAndSet(place, denial, null)
        return null
    }

    /** @param at when it was asked, so that nobody is refused for longer than Redis would */
    fun remember(
        charges: List<Charge>,
        maxDelay: Long,
        result: RateLimitResult,
        at: Long,
    ) {
        val first = charges[0].key
        if (charges.any { it.key.limiter != first.limiter || it.key.key != first.key }) return
        val place = placeOf(first)
        val denial = Denial(java.util.List.copyOf(charges), maxDelay, result, at)
        while (true) {
            val known = entries[place]
            if (known is Changed && at - known.at <= 0) return
            if (entries.compareAndSet(place, known, denial)) return
        }
    }

    /** Called when a change of the bucket is asked for, and when it is done. */
    fun forget(key: BucketKey) = entries.set(placeOf(key), Changed(clock()))

    private fun placeOf(key: BucketKey): Int {
        val hash = key.limiter().hashCode() * HASH + key.key().hashCode()
        return (hash xor (hash ushr HALF)) and (entries.length() - 1)
    }

    private companion object {
        const val LARGEST = 1 shl 24
        const val HASH = 31
        const val HALF = 16
    }
}

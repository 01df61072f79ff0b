package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimitResult
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import java.util.concurrent.atomic.AtomicReferenceArray

/**
 * Refuses what Redis has refused, until the time that Redis told is over: the same charges of the same buckets. A table with one place for
 * each hash, where the newer denial takes the place of the older: bounded, and without a lock.
 */
internal class DenialCache(
    size: Int,
) {
    private class Denial(
        val charges: List<Charge>,
        val maxDelay: Long,
        val result: RateLimitResult,
        val at: Long,
    )

    private val denials = AtomicReferenceArray<Denial>(Integer.highestOneBit(size.coerceAtMost(LARGEST) * 2 - 1))

    fun find(
        charges: List<Charge>,
        maxDelay: Long,
    ): RateLimitResult? {
        val place = placeOf(charges[0].key)
        val denial = denials[place] ?: return null
        if (denial.maxDelay != maxDelay || denial.charges != charges) return null
        val since = System.nanoTime() - denial.at
        val left = denial.result.retryAfterNanos() - since
        if (left > 0) {
            val reset = (denial.result.resetAfterNanos() - since).coerceAtLeast(left)
            return RateLimitResult.denied(denial.result.limit(), denial.result.remaining(), left, reset)
        }
        denials.compareAndSet(place, denial, null)
        return null
    }

    /** @param at when it was asked, so that nobody is refused for longer than Redis would */
    fun remember(
        charges: List<Charge>,
        maxDelay: Long,
        result: RateLimitResult,
        at: Long,
    ) = denials.set(placeOf(charges[0].key), Denial(charges, maxDelay, result, at))

    fun forget(key: BucketKey) = denials.set(placeOf(key), null)

    private fun placeOf(key: BucketKey): Int {
        val hash = key.limiter().hashCode() * HASH + key.key().hashCode()
        return (hash xor (hash ushr HALF)) and (denials.length() - 1)
    }

    private companion object {
        const val LARGEST = 1 shl 24
        const val HASH = 31
        const val HALF = 16
    }
}

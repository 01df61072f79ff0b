package dev.ratelimit.jvm.store

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.LocalRateLimitStore

/** The bucket of [key] in the limiter that most tests use. */
internal fun bucketOf(
    key: Any?,
    slot: Int = 0,
) = BucketKey("limiter", key, slot)

internal fun LocalRateLimitStore.take(
    limit: RateLimit,
    key: Any?,
    permits: Long = 1,
    at: Long = clock().nanoTime(),
): RateLimitResult = tryAcquire(listOf(Charge(bucketOf(key), limit, permits)), at, Long.MAX_VALUE)

/** One permit of each of [limits] for [key], as a limiter of several limits asks. */
internal fun LocalRateLimitStore.takeAll(
    limits: List<RateLimit>,
    key: Any?,
): RateLimitResult = tryAcquire(limits.mapIndexed { i, limit -> Charge(bucketOf(key, i), limit, 1) }, clock().nanoTime(), Long.MAX_VALUE)

/** The permits that are there; unlike a call that is refused, asking does not count as a use. */
internal fun LocalRateLimitStore.left(
    limit: RateLimit,
    key: Any?,
): Long = peek(listOf(Charge(bucketOf(key), limit, 1)), clock().nanoTime(), 0).remaining()

/** A store with room for some keys, whichever kind it is, for the tests of what it does when there is no more room. */
internal class Bounded(
    private val store: LocalRateLimitStore,
    /** The most buckets that it may ever have. */
    val most: Int,
    private val count: () -> Int,
) : LocalRateLimitStore by store {
    val size: Int get() = count()

    /** `by` does not pass on what has a default in Java: the file would stay open, and be made anew once it was deleted. */
    override fun close() = store.close()

    companion object {
        fun inMemory(
            clock: NanoClock,
            maxKeys: Int,
        ) = MemoryStore(clock, maxKeys).let { Bounded(it, maxKeys, it::size) }
    }
}

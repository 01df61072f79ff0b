package dev.ratelimit.jvm.store

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge

/** The bucket of [key] in the limiter that most tests use. */
internal fun bucketOf(
    key: Any?,
    slot: Int = 0,
) = BucketKey("limiter", key, slot)

internal fun MemoryStore.take(
    limit: RateLimit,
    key: Any?,
    permits: Long = 1,
    at: Long = clock().nanoTime(),
): RateLimitResult = tryAcquire(listOf(Charge(bucketOf(key), limit, permits)), at, Long.MAX_VALUE)

/** One permit of each of [limits] for [key], as a limiter of several limits asks. */
internal fun MemoryStore.takeAll(
    limits: List<RateLimit>,
    key: Any?,
): RateLimitResult = tryAcquire(limits.mapIndexed { i, limit -> Charge(bucketOf(key, i), limit, 1) }, clock().nanoTime(), Long.MAX_VALUE)

/** The permits that are there; unlike a call that is refused, asking does not count as a use. */
internal fun MemoryStore.left(
    limit: RateLimit,
    key: Any?,
): Long = peek(listOf(Charge(bucketOf(key), limit, 1)), clock().nanoTime(), 0).remaining()

package dev.ratelimit.jvm.limiter

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.LocalRateLimitStore

/** The keys of one limiter in a local store that is not the memory store. */
internal class StoreFamily(
    name: String,
    limits: List<RateLimit>,
    override val store: LocalRateLimitStore,
    options: LimiterOptions,
    lines: Lines,
) : Family(name, limits, store.clock(), options, lines) {
    override fun changed() = Unit
}

/** One key of a limiter in any local store, which is asked by charges. */
internal class StoreLimiter(
    private val own: StoreFamily,
    key: Any?,
) : LocalLimiter(own, key) {
    override fun takeAt(
        at: Long,
        permits: Long,
        maxDelay: Long,
    ): RateLimitResult = asking { own.store.tryAcquire(family.slots.charges(family.name, key, permits), at, maxDelay) }

    override fun look(
        permits: Long,
        ahead: Long,
    ): RateLimitResult = asking { own.store.peek(family.slots.charges(family.name, key, permits), clock.nanoTime(), ahead) }

    override fun forget() = asking { own.store.reset(family.slots.keys(family.name, key)) }

    override fun adjust(permits: Long) = asking { own.store.adjust(family.slots.adjustments(family.name, key, permits)) }

    private inline fun <T> asking(question: () -> T): T =
        try {
            question()
        } catch (e: RateLimitStoreException) {
            family.observer.storeFailed(key, e)
            throw e
        }
}

internal fun Slots.charges(
    limiter: String,
    key: Any?,
    permits: Long,
): List<Charge> =
    if (limits.size == 1) {
        listOf(Charge(BucketKey(limiter, key, places[0]), limits[0], permits))
    } else {
        limits.indices.map { Charge(BucketKey(limiter, key, places[it]), limits[it], permits) }
    }

internal fun Slots.adjustments(
    limiter: String,
    key: Any?,
    permits: Long,
): List<Adjustment> = limits.indices.map { Adjustment(BucketKey(limiter, key, places[it]), limits[it], permits) }

internal fun Slots.keys(
    limiter: String,
    key: Any?,
): List<BucketKey> = places.map { BucketKey(limiter, key, it) }

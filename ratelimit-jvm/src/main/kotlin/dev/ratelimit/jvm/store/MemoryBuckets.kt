package dev.ratelimit.jvm.store

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.algorithm.Meter
import java.util.concurrent.ConcurrentHashMap

/**
 * The inside of the memory store, in its own terms: rules instead of limits, and instants counted from the store's origin, so that
 * no clock can wrap around beneath the algorithms.
 */
internal class MemoryBuckets(
    @JvmField val clock: NanoClock,
    maxKeys: Int,
) {
    private val origin = clock.nanoTime()
    private val table = BucketTable(maxKeys)
    private val meters = ConcurrentHashMap<RateLimit, Meter>()

    /** How many buckets are kept now. */
    val size: Int get() = table.size

    /** The instant of this moment. */
    fun now(): Long = clock.nanoTime() - origin

    /** The instant of a reading of the clock. */
    fun instantOf(reading: Long): Long = reading - origin

    fun rule(
        limiter: String,
        slot: Int,
        limit: RateLimit,
    ): Rule = Rule(limiter, slot, meter(limit))

    /** The bucket to ask until it dies; then this gives another. */
    fun bucket(
        rule: Rule,
        key: Any?,
        now: Long,
    ): Bucket = table.bucket(rule, key, now)

    fun tryAcquire(
        claims: List<Claim>,
        now: Long,
        maxDelay: Long,
    ): RateLimitResult = claims.singleOrNull()?.let { one(it, now, maxDelay) } ?: all(merged(claims), now, maxDelay)

    private fun one(
        claim: Claim,
        now: Long,
        maxDelay: Long,
    ): RateLimitResult {
        while (true) {
            table.bucket(claim.rule, claim.key, now).tryAcquire(now, claim.permits, maxDelay)?.let { return it }
        }
    }

    private fun all(
        claims: List<Claim>,
        now: Long,
        maxDelay: Long,
    ): RateLimitResult {
        val held = HeldBuckets.lock(table, claims, now)
        try {
            return held.tryAcquire(now, maxDelay)
        } finally {
            held.release()
        }
    }

    fun peek(
        claims: List<Claim>,
        now: Long,
        ahead: Long,
    ): RateLimitResult {
        val held = HeldBuckets.lockExisting(table, merged(claims), now)
        try {
            return held.peek(now, ahead)
        } finally {
            held.release()
        }
    }

    /** Applies [permits] to the buckets of [claims], one number for each: above zero taken, below zero given back. */
    fun adjust(
        claims: List<Claim>,
        permits: List<Long>,
        now: Long,
    ) {
        val held = HeldBuckets.lock(table, distinct(claims), now)
        try {
            for (i in claims.indices) held.adjust(claims[i], permits[i], now)
        } finally {
            held.release()
        }
    }

    /** The bucket of [key] at a place, for [reset]. */
    fun place(
        limiter: String,
        slot: Int,
        key: Any?,
    ): Claim = Claim(Rule(limiter, slot, ANY), key, 1)

    fun reset(places: List<Claim>) {
        val now = now()
        val held = HeldBuckets.lockExisting(table, distinct(places), now)
        held.forget(now)
        held.release()
    }

    private fun meter(limit: RateLimit): Meter {
        meters[limit]?.let { return it }
        // Limits that a program computes as it runs must not pile up; the meters of those in use are held by their rules.
        if (meters.size >= MAX_METERS) meters.clear()
        return meters.computeIfAbsent(limit) { Meter.of(it, origin) }
    }

    private companion object {
        const val MAX_METERS = 1024

        /** Stands for any limit where only the place of a rule counts. */
        val ANY: Meter = Meter.of(RateLimit.perSecond(1.0), 0)
    }
}

package dev.ratelimit.jvm.redis

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.store.Timer
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicLong

/** Permits that were taken; [cause] tells why it was not Redis who gave them. */
internal class Taken(
    val result: RateLimitResult,
    val asked: Long,
    val permits: Long,
    val at: Long,
    val cause: RateLimitStoreException? = null,
)

/**
 * Permits taken ahead and used without asking again: taken from the limit when they are leased, so that all processes together never get
 * more than it has. What is not used for [idleNanos] goes back; so does everything at the end. A fixed window's end with the window.
 *
 * A bucket whose lease is used up within moments gets a larger one, up to [GROWN] times as large, but no more than a hundredth of its
 * burst, and only while there is enough for all: otherwise the round trip of a refill would bound how many are decided.
 *
 * @param most the permits of one lease
 * @param take asks for up to so many permits, at least those of the charge
 * @param instead decides where Redis could not
 * @param giveBack returns what was not used
 */
internal class Leases(
    private val most: Long,
    private val idleNanos: Long,
    private val take: (Charge, Long) -> CompletableFuture<Taken>,
    private val instead: (Charge, RateLimitStoreException) -> RateLimitResult,
    private val clock: () -> Long = System::nanoTime,
    private val later: (Long, () -> Unit) -> Unit = Timer::after,
    private val giveBack: (Adjustment) -> Unit,
) {
    /** Permits of one bucket until [end], a reading of the clock. */
    private class Lease(
        val end: Long,
        @Volatile var reset: Long,
    ) {
        val left = AtomicLong()

        fun lasts(
            now: Long,
            margin: Long,
        ) = end == Long.MAX_VALUE || end - now > margin
    }

    private inner class Bucket(
        val limit: RateLimit,
    ) {
        @Volatile var lease = Lease(Long.MAX_VALUE, 0)

        @Volatile var pending: CompletableFuture<Taken>? = null

        @Volatile var isForgotten = false

        /** Until when nothing more can be had; a reading of the clock. */
        @Volatile var dryUntil = clock()
        var leftBefore = 0L

        /** The permits of the lease that was asked for last, and when; written by who has the only question that is under way. */
        @Volatile var size = most
            private set

        @Volatile private var askedAt = clock() - CALM

        /** How many the lease that is asked for now should have. */
        fun next(): Long {
            val now = clock()
            val age = now - askedAt
            askedAt = now
            if (most < LARGE) return most
            if (age < HURRY) size = (size * 2).coerceAtMost(most * GROWN).coerceAtMost(maxOf(most, limit.burst() / HUNDREDTH))
            if (age >= CALM) size = most
            return size
        }

        /** Less was to be had than was asked for: others want it too. */
        fun isScarce() {
            size = most
        }

        fun use(permits: Long): RateLimitResult? {
            val lease = lease
            if (!lease.lasts(clock(), 0)) return null
            while (true) {
                val now = lease.left.get()
                if (now < permits) return null
                if (lease.left.compareAndSet(now, now - permits)) return RateLimitResult.allowed(limit, now - permits, lease.reset, 0)
            }
        }

        /** What was left of a window that is over is worth nothing in the next. */
        fun add(
            permits: Long,
            taken: Taken,
        ) {
            val reset = taken.result.resetAfterNanos()
            if (limit.algorithm() == Algorithm.FIXED_WINDOW) {
                val end = taken.at + reset
                val former = lease
                val half = limit.period().dividedBy(2)
                val isSame = former.end != Long.MAX_VALUE && java.time.Duration.ofNanos(end - former.end) < half
                if (!isSame) lease = Lease(end, reset).also { former.left.set(0) }
            }
            lease.reset = reset
            lease.left.addAndGet(permits)
        }
    }

    private val buckets = ConcurrentHashMap<BucketKey, Bucket>()
    private val isSweeping = AtomicBoolean()

    /** Whether permits of these charges may be used later than they were taken. */
    fun serves(charges: List<Charge>): Boolean = charges.size == 1 && charges[0].limit.algorithm() in LEASED

    fun acquire(charge: Charge): CompletableFuture<RateLimitResult> {
        val bucket = bucketOf(charge)
        val result = bucket.use(charge.permits) ?: return refilled(bucket, charge)
        // Ahead of need; for a small lease that would save less than it costs.
        val isLow = most >= LARGE && result.remaining() < bucket.size - bucket.size / QUARTER
        if (isLow && bucket.pending == null) askAhead(bucket, charge, result.remaining())
        return CompletableFuture.completedFuture(result)
    }

    /** Fills the lease up again before it is used up, so that nobody has to wait. */
    private fun askAhead(
        bucket: Bucket,
        charge: Charge,
        left: Long,
    ) {
        if (bucket.dryUntil - clock() > 0) return
        val mine = CompletableFuture<Taken>()
        synchronized(bucket) {
            if (bucket.pending != null) return
            bucket.pending = mine
        }
        val wanted = (bucket.next() - left).coerceAtLeast(1)
        take(Charge(charge.key, charge.limit, 1), wanted).whenComplete { taken, failure ->
            if (failure == null) {
                if (taken.permits < wanted) bucket.isScarce()
                keep(bucket, charge.key, taken, taken.permits)
                if (!taken.result.isAllowed) bucket.dryUntil = clock() + taken.result.retryAfterNanos().coerceAtMost(MOST_DRY)
            }
            answered(bucket, mine, taken, failure)
        }
    }

    private fun answered(
        bucket: Bucket,
        pending: CompletableFuture<Taken>,
        taken: Taken?,
        failure: Throwable?,
    ) {
        bucket.pending = null
        if (failure == null) pending.complete(taken) else pending.completeExceptionally(failure)
    }

    private fun bucketOf(charge: Charge): Bucket {
        val bucket = buckets[charge.key]
        if (bucket != null && (bucket.limit === charge.limit || bucket.limit == charge.limit)) return bucket
        return checkNotNull(
            buckets.compute(charge.key) { key, old ->
                if (old != null && old.limit == charge.limit) return@compute old
                old?.let { returned(key, it) }
                Bucket(charge.limit)
            },
        )
    }

    /** One question for all who find the lease used up at the same time. */
    private fun refilled(
        bucket: Bucket,
        charge: Charge,
    ): CompletableFuture<RateLimitResult> {
        val mine = CompletableFuture<Taken>()
        val other = synchronized(bucket) { bucket.pending.also { if (it == null) bucket.pending = mine } }
        if (other != null) return other.thenCompose { sharing(it, charge) }
        val wanted = maxOf(bucket.next(), charge.permits)
        val answer =
            take(charge, wanted).whenComplete { taken, failure ->
                if (failure == null) {
                    if (taken.permits < wanted) bucket.isScarce()
                    keep(bucket, charge.key, taken, taken.permits - charge.permits)
                }
                answered(bucket, mine, taken, failure)
            }
        return answer.thenApply { it.result }
    }

    /**
     * What holds for one who waited for another's question: that Redis could not answer it, and a refusal of as much, or less.
     * Nobody's time is long enough to ask once more after the former.
     */
    private fun sharing(
        taken: Taken,
        charge: Charge,
    ): CompletableFuture<RateLimitResult> =
        when {
            taken.cause != null -> CompletableFuture.completedFuture(instead(charge, taken.cause))
            !taken.result.isAllowed && charge.permits >= taken.asked -> CompletableFuture.completedFuture(taken.result)
            else -> acquire(charge)
        }

    private fun keep(
        bucket: Bucket,
        key: BucketKey,
        taken: Taken,
        unused: Long,
    ) {
        var over = unused
        // Where Redis could not answer, nothing was taken from it.
        if (!taken.result.isAllowed || taken.cause != null || over <= 0) return
        buckets.computeIfPresent(key) { _, known ->
            if (known === bucket) {
                bucket.add(over, taken)
                over = 0
            }
            known
        }
        // What was forgotten with its bucket is not there any more.
        if (over > 0 && !bucket.isForgotten) giveBack(Adjustment(key, bucket.limit, -over))
        sweepLater()
    }

    private fun sweepLater() {
        if (isSweeping.compareAndSet(false, true)) later(idleNanos, ::sweep)
    }

    /** What was not used since the last look is idle. */
    private fun sweep() {
        isSweeping.set(false)
        buckets.forEach { (key, bucket) ->
            val left = bucket.lease.left.get()
            if (left == bucket.leftBefore) {
                returned(key, bucket)
                buckets.computeIfPresent(key) { _, same ->
                    same.takeIf { it !== bucket || it.pending != null || it.lease.left.get() > 0 }
                }
            }
            bucket.leftBefore = bucket.lease.left.get()
        }
        if (buckets.isNotEmpty()) sweepLater()
    }

    /** A window that is about to end takes nothing back: the next one would. */
    private fun returned(
        key: BucketKey,
        bucket: Bucket,
    ) {
        val lease = bucket.lease
        val left = lease.left.getAndSet(0)
        if (left > 0 && lease.lasts(clock(), TIME_TO_RETURN)) giveBack(Adjustment(key, bucket.limit, -left))
    }

    /** The permits of [key] are gone with its bucket. */
    fun forget(key: BucketKey) {
        buckets.computeIfPresent(key) { _, bucket ->
            bucket.isForgotten = true
            bucket.lease.left.set(0)
            null
        }
    }

    fun returnAll() = buckets.forEach { (key, bucket) -> returned(key, bucket) }

    private companion object {
        const val LARGE = 100
        const val QUARTER = 4
        const val GROWN = 8
        const val HUNDREDTH = 100

        /** Nobody uses up a lease so fast that a round trip would not matter. */
        const val HURRY = 3_000_000L
        const val CALM = 50_000_000L

        /** So that what other processes give back is seen at last. */
        const val MOST_DRY = 1_000_000_000L
        val LEASED = setOf(Algorithm.TOKEN_BUCKET, Algorithm.FIXED_WINDOW)

        /** As long as giving back may be under way. */
        const val TIME_TO_RETURN = 1_000_000_000L
    }
}

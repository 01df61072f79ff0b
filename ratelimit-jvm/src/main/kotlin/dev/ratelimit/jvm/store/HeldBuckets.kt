package dev.ratelimit.jvm.store

import dev.ratelimit.RateLimitResult

/**
 * Several buckets, all locked by this thread: what several limits decide together, they decide on one state.
 *
 * Locks are tried, not waited for: who meets a locked bucket lets go of all it holds and starts again, so no order of
 * locking is needed and nobody waits in a circle. In between nobody has seen anything, because locked buckets answer nobody.
 */
internal class HeldBuckets private constructor(
    private val claims: List<Claim>,
    private val buckets: Array<Bucket?>,
    private val states: Array<LongArray>,
) {
    /** Grants all or nothing. */
    fun tryAcquire(
        now: Long,
        maxDelay: Long,
    ): RateLimitResult = Joint(claims, states).tryAcquire(now, maxDelay)

    /** The answer of [tryAcquire], after [ahead] permits to others, without its effect. */
    fun peek(
        now: Long,
        ahead: Long,
    ): RateLimitResult = Joint(claims, Array(claims.size) { seen(it, now) }).peek(now, ahead)

    /** The state as it would be if the claim's limit took over. */
    private fun seen(
        i: Int,
        now: Long,
    ): LongArray {
        val rule = claims[i].rule
        val own = buckets[i]?.rule ?: rule
        return if (own.isSameLimitAs(rule)) states[i] else rule.meter.carry(own.meter, states[i].copyOf(), now)
    }

    /** Applies [permits] to the bucket of [claim]. */
    fun adjust(
        claim: Claim,
        permits: Long,
        now: Long,
    ) {
        val i = claims.indexOfFirst { it.isSameBucketAs(claim) }
        states[i] = claims[i].meter.adjusted(states[i], now, permits)
    }

    /** Makes all buckets as if they were never used. */
    fun forget(now: Long) {
        for (i in buckets.indices) buckets[i]?.let { states[i] = it.rule.meter.fresh(now) }
    }

    fun release() {
        for (i in buckets.indices) buckets[i]?.unlock(states[i])
    }

    companion object {
        /** Locks the buckets of [claims], which name each bucket once, making those that do not exist. */
        fun lock(
            table: BucketTable,
            claims: List<Claim>,
            now: Long,
        ): HeldBuckets =
            lockAll(claims) { table.bucket(it.rule, it.key, now) }.also { held ->
                held.buckets.forEach { it?.touch() }
            }

        /** As [lock], but buckets that do not exist are not made: their state is a fresh one that nobody keeps. */
        fun lockExisting(
            table: BucketTable,
            claims: List<Claim>,
            now: Long,
        ): HeldBuckets =
            lockAll(claims) { table.find(it.rule, it.key) }.also { held ->
                for (i in claims.indices) if (held.buckets[i] == null) held.states[i] = table.fresh(claims[i].rule, claims[i].key, now)
            }

        /**
         * Looks all buckets up before it locks any: whoever holds a bucket must never wait for the table, whose own work waits for
         * buckets.
         */
        private inline fun lockAll(
            claims: List<Claim>,
            bucketOf: (Claim) -> Bucket?,
        ): HeldBuckets {
            var spins = 0
            while (true) {
                val wanted = Array(claims.size) { bucketOf(claims[it]) }
                val held = HeldBuckets(claims, arrayOfNulls(claims.size), Array(claims.size) { NONE })
                if (claims.indices.all { held.tryLock(it, wanted[it]) }) return held
                held.release()
                spins = Bucket.pause(spins)
            }
        }

        private val NONE = LongArray(0)
    }

    private fun tryLock(
        i: Int,
        bucket: Bucket?,
    ): Boolean {
        if (bucket == null) return true
        states[i] = bucket.tryLock() ?: return false
        buckets[i] = bucket
        return true
    }
}

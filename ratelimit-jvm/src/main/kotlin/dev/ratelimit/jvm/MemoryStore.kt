package dev.ratelimit.jvm

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.store.Claim
import dev.ratelimit.jvm.store.MemoryBuckets
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.LocalRateLimitStore

/**
 * Buckets in the memory of this process.
 *
 * One limit on one key is decided by a single compare-and-set, without a lock and without allocation; several limits or keys are
 * decided together under locks held for the length of the computation.
 *
 * At most [maxKeys] buckets are kept. A bucket that is full again equals one that was never used, so idle ones are dropped and
 * nothing is lost. If a flood of keys leaves no idle one, the bucket that was asked least and has used least makes room: new
 * keys are served, and a key that its callers have exhausted stays so. Choose [maxKeys] above the number of keys that are active
 * within the time their limits take to refill. One limit on one key is one bucket, which takes about 45 bytes beside its key where its
 * state is one number, and more for a sliding log, which remembers each grant for a period.
 *
 * Thread-safe.
 *
 * @param clock where the time comes from; tests pass their own
 * @param maxKeys the most buckets to keep, at least 1
 * @throws IllegalArgumentException if [maxKeys] is below 1
 */
public class MemoryStore
    @JvmOverloads
    constructor(
        private val clock: NanoClock = NanoClock.system(),
        maxKeys: Int = DEFAULT_MAX_KEYS,
    ) : LocalRateLimitStore {
        init {
            require(maxKeys >= 1) { "maxKeys $maxKeys is not positive; write 1 or more, for example $DEFAULT_MAX_KEYS" }
        }

        internal val buckets = MemoryBuckets(clock, maxKeys)

        /** How many buckets are kept at this moment. */
        public val size: Int get() = buckets.size

        override fun clock(): NanoClock = clock

        override fun tryAcquire(
            charges: List<Charge>,
            at: Long,
            maxDelayNanos: Long,
        ): RateLimitResult = buckets.tryAcquire(claims(charges), buckets.instantOf(at), maxDelayNanos)

        override fun peek(
            charges: List<Charge>,
            at: Long,
            ahead: Long,
        ): RateLimitResult = buckets.peek(claims(charges), buckets.instantOf(at), ahead)

        override fun adjust(adjustments: List<Adjustment>): Unit =
            buckets.adjust(
                adjustments.map { Claim(buckets.rule(it.key.limiter, it.key.slot, it.limit), it.key.key, 1) },
                adjustments.map { it.permits },
                buckets.now(),
            )

        override fun reset(keys: List<BucketKey>): Unit = buckets.reset(keys.map { buckets.place(it.limiter, it.slot, it.key) })

        private fun claims(charges: List<Charge>): List<Claim> {
            require(charges.isNotEmpty()) { "charges are empty; charge at least one bucket" }
            return charges.map { Claim(buckets.rule(it.key.limiter, it.key.slot, it.limit), it.key.key, it.permits) }
        }

        override fun toString(): String = "MemoryStore(size=$size)"

        private companion object {
            const val DEFAULT_MAX_KEYS = 1_000_000
        }
    }

package dev.ratelimit.jvm.redis

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.store.Timer
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicLong

/** Permits that were taken, and what remains of them. */
internal class Taken(
    val result: RateLimitResult,
    val asked: Long,
    val permits: Long,
    val at: Long,
)

/**
 * Permits taken ahead and used without asking again: taken from the limit when they are leased, so that all processes together never get
 * more than it has. What is not used for [idleNanos] goes back; so does everything at the end. A fixed window's end with the window.
 *
 * @param most the permits of one lease
 * @param take asks for up to so many permits, at least those of the charge
 * @param giveBack returns what was not used
 */
internal class Leases(
    private val most: Long,
    private val idleNanos: Long,
    private val take: (Charge, Long) -> CompletableFuture<Taken>,
    private val giveBack: (Adjustment) -> Unit,
) {
    private class Lease(
        val limit: RateLimit,
    ) {
        val left = AtomicLong()

        /** Until when the permits may be used; a reading of the clock. */
        @Volatile var end = Long.MAX_VALUE

        @Volatile var reset = 0L

        @Volatile var pending: CompletableFuture<Taken>? = null
        var leftBefore = 0L

        fun use(permits: Long): RateLimitResult? {
            if (end != Long.MAX_VALUE && System.nanoTime() - end >= 0) return null.also { left.set(0) }
            while (true) {
                val now = left.get()
                if (now < permits) return null
                if (left.compareAndSet(now, now - permits)) return RateLimitResult.allowed(limit, now - permits, reset, 0)
            }
        }
    }

    private val leases = ConcurrentHashMap<BucketKey, Lease>()
    private val isSweeping = AtomicBoolean()

    /** Whether permits of these charges may be used later than they were taken. */
    fun serves(charges: List<Charge>): Boolean = charges.size == 1 && charges[0].limit.algorithm() in LEASED

    fun acquire(charge: Charge): CompletableFuture<RateLimitResult> {
        val lease = leaseOf(charge)
        lease.use(charge.permits)?.let { return CompletableFuture.completedFuture(it) }
        return refilled(lease, charge)
    }

    private fun leaseOf(charge: Charge): Lease {
        val lease = leases[charge.key]
        if (lease != null && (lease.limit === charge.limit || lease.limit == charge.limit)) return lease
        return checkNotNull(
            leases.compute(charge.key) { key, old ->
                if (old != null && old.limit == charge.limit) return@compute old
                old?.let { returned(key, it) }
                Lease(charge.limit)
            },
        )
    }

    /** One question for all who find the lease used up at the same time. */
    private fun refilled(
        lease: Lease,
        charge: Charge,
    ): CompletableFuture<RateLimitResult> {
        val mine = CompletableFuture<Taken>()
        val other = synchronized(lease) { lease.pending.also { if (it == null) lease.pending = mine } }
        if (other != null) return other.handle { taken, _ -> sharing(taken, charge) }.thenCompose { it }
        return take(charge, maxOf(most, charge.permits)).handle { taken, failure ->
            if (failure == null) keep(lease, charge, taken)
            lease.pending = null
            if (failure == null) mine.complete(taken) else mine.completeExceptionally(failure)
            taken?.result ?: throw failure
        }
    }

    /** What holds for one who waited for another's question: a refusal of as much, or less, is theirs too. */
    private fun sharing(
        taken: Taken?,
        charge: Charge,
    ): CompletableFuture<RateLimitResult> =
        if (taken != null && !taken.result.isAllowed && charge.permits >= taken.asked) {
            CompletableFuture.completedFuture(taken.result)
        } else {
            acquire(charge)
        }

    private fun keep(
        lease: Lease,
        charge: Charge,
        taken: Taken,
    ) {
        var over = taken.permits - charge.permits
        if (!taken.result.isAllowed || over <= 0) return
        leases.computeIfPresent(charge.key) { _, known ->
            if (known === lease) {
                if (charge.limit.algorithm() == Algorithm.FIXED_WINDOW) lease.end = taken.at + taken.result.resetAfterNanos()
                lease.reset = taken.result.resetAfterNanos()
                lease.left.addAndGet(over)
                over = 0
            }
            known
        }
        if (over > 0) giveBack(Adjustment(charge.key, lease.limit, -over))
        sweepLater()
    }

    private fun sweepLater() {
        if (isSweeping.compareAndSet(false, true)) Timer.after(idleNanos, ::sweep)
    }

    /** What was not used since the last look is idle. */
    private fun sweep() {
        isSweeping.set(false)
        leases.forEach { (key, lease) ->
            val left = lease.left.get()
            if (left == lease.leftBefore) {
                returned(key, lease)
                leases.computeIfPresent(key) { _, same -> same.takeIf { it !== lease || it.left.get() > 0 || it.pending != null } }
            }
            lease.leftBefore = left
        }
        if (leases.isNotEmpty()) sweepLater()
    }

    private fun returned(
        key: BucketKey,
        lease: Lease,
    ) {
        val left = lease.left.getAndSet(0)
        val isOver = lease.end != Long.MAX_VALUE && System.nanoTime() - lease.end >= 0
        if (left > 0 && !isOver) giveBack(Adjustment(key, lease.limit, -left))
    }

    /** The permits of [key] are gone with its bucket. */
    fun forget(key: BucketKey) {
        leases.remove(key)?.left?.set(0)
    }

    fun returnAll() = leases.forEach { (key, lease) -> returned(key, lease) }

    private companion object {
        val LEASED = setOf(Algorithm.TOKEN_BUCKET, Algorithm.FIXED_WINDOW)
    }
}

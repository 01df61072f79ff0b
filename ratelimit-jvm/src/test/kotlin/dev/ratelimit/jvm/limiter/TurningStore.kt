package dev.ratelimit.jvm.limiter

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.RateLimitStore
import dev.ratelimit.spi.Reservation
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage

/**
 * Token buckets that grant turns ahead, as the instant at which each is empty: small enough to be seen to be right. Answers go through
 * [wire], which may keep them for a while.
 */
internal class TurningStore(
    private val clock: NanoClock,
    private val wire: (() -> Unit) -> Unit = { it() },
) : RateLimitStore {
    private val emptyAt = HashMap<BucketKey, Long>()
    private val permits = HashMap<BucketKey, Long>()
    private val intervals = HashMap<BucketKey, Long>()

    /** What was asked, in order: "reserve 3 of 5" and the like. */
    val questions = mutableListOf<String>()

    @Volatile
    var isCut = false

    /** Permits charged, less those given back. */
    fun charged(slot: Int = 0): Long = synchronized(this) { permits.filterKeys { it.slot == slot }.values.sum() }

    fun count(word: String): Int = synchronized(this) { questions.count { it.startsWith(word) } }

    private fun RateLimit.interval() = period().toNanos() / permits()

    private fun waitFor(
        charge: Charge,
        ahead: Long = 0,
    ): Long {
        val interval = charge.limit.interval()
        val former = intervals.put(charge.key, interval)
        if (former != null &&
            former != interval
        ) {
            emptyAt.computeIfPresent(charge.key) { _, at ->
                clock.nanoTime() +
                    (at - clock.nanoTime()) / former * interval
            }
        }
        val level = maxOf(emptyAt[charge.key] ?: 0, clock.nanoTime())
        return (level + (charge.permits + ahead - charge.limit.burst()) * interval - clock.nanoTime()).coerceAtLeast(0)
    }

    private fun add(
        key: BucketKey,
        limit: RateLimit,
        count: Long,
        at: Long = clock.nanoTime(),
    ) {
        emptyAt[key] = maxOf(emptyAt[key] ?: 0, at) + count * limit.interval()
        permits.merge(key, count, Long::plus)
    }

    private fun refusal(
        charges: List<Charge>,
        ahead: Long = 0,
    ): RateLimitResult? {
        val worst = charges.maxBy { waitFor(it, ahead) }
        val wait = waitFor(worst, ahead)
        return if (wait == 0L) null else RateLimitResult.denied(worst.limit, 0, wait, wait)
    }

    private fun grant(charges: List<Charge>) = RateLimitResult.allowed(charges[0].limit, 0, 1, 0)

    override fun tryAcquireAsync(
        charges: List<Charge>,
        maxDelayNanos: Long,
    ) = asked("acquire ${charges[0].permits}") {
        refusal(charges) ?: grant(charges).also { charges.forEach { add(it.key, it.limit, it.permits) } }
    }

    override fun peekAsync(
        charges: List<Charge>,
        ahead: Long,
    ) = asked("peek ${charges[0].permits} behind $ahead") { refusal(charges, ahead) ?: grant(charges) }

    override fun reserveAsync(
        charges: List<Charge>,
        most: Int,
        withinNanos: Long,
    ): CompletionStage<Reservation> =
        asked("reserve $most of ${charges[0].permits}") {
            val waits = mutableListOf<Long>()
            while (waits.size < most) {
                val wait = charges.maxOf(::waitFor)
                if (wait > (waits.firstOrNull()?.plus(SPAN) ?: withinNanos)) break
                charges.forEach { add(it.key, it.limit, it.permits, clock.nanoTime() + wait) }
                waits += wait
            }
            if (waits.isEmpty()) Reservation.of(checkNotNull(refusal(charges))) else Reservation.of(grant(charges), *waits.toLongArray())
        }

    override fun adjustAsync(adjustments: List<Adjustment>): CompletionStage<Void?> =
        asked("adjust ${adjustments.map { "${it.permits}@${it.key.slot}" }}") {
            adjustments.forEach { add(it.key, it.limit, it.permits) }
            null
        }

    override fun resetAsync(keys: List<BucketKey>): CompletionStage<Void?> =
        asked("reset") {
            keys.forEach {
                emptyAt.remove(it)
                permits.remove(it)
            }
            null
        }

    private fun <T> asked(
        question: String,
        answer: () -> T,
    ): CompletionStage<T> {
        val future = CompletableFuture<T>()
        val outcome = synchronized(this) { questions.add(question).let { runCatching(answer) } }
        wire {
            if (isCut) {
                future.completeExceptionally(
                    RateLimitStoreException("the wire is cut", null),
                )
            } else {
                future.complete(outcome.getOrThrow())
            }
        }
        return future
    }

    private companion object {
        const val SPAN = 100_000_000L
    }
}

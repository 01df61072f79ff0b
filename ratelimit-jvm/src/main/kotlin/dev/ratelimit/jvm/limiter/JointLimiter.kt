package dev.ratelimit.jvm.limiter

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.Refusal
import dev.ratelimit.jvm.store.unwrapped
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.LocalRateLimitStore
import kotlinx.coroutines.CoroutineDispatcher
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage

/** Several limiters of one store as one: all grant in one question to the store, or none is charged. How it waits: [JointPassage]. */
internal class JointLimiter private constructor(
    val members: List<FamilyLimiter>,
) : SuspendingLimiter() {
    private val first = members[0].family
    private val local = first.store as? LocalRateLimitStore

    val clock: NanoClock get() = first.clock

    /** See [dev.ratelimit.jvm.line.Gate.chargesAtTurn]. */
    val chargesAtTurn: Boolean get() = members.all { it.chargesAtTurn }

    override val dispatcher: CoroutineDispatcher get() = first.options.dispatcher

    override fun name(): String = members.joinToString(" + ") { it.name() }

    override fun limits(): List<RateLimit> = members.flatMap { it.limits() }

    override fun setLimits(limits: List<RateLimit>): Unit =
        throw UnsupportedOperationException("'${name()}' are several limiters; set the limits of one of them")

    override fun check(permits: Long) = limits().forEach { it.checkPermits(permits) }

    fun someoneWaits(): Boolean = members.any { it.family.lines.occupied(it.key) != null }

    /** Charges all or none; may suspend only before it charges. */
    suspend fun charge(
        at: Long,
        permits: Long,
        maxDelay: Long,
    ): RateLimitResult =
        local?.tryAcquire(charges(permits), at, maxDelay)
            ?: observed(first.store.tryAcquireAsync(charges(permits), maxDelay)).awaitOr { if (it.isAllowed) giveBack(permits) }

    override suspend fun tryAcquireNow(permits: Long): RateLimitResult = told(
        permits,
        asked(permits).awaitOr {
            if (it.isAllowed) giveBack(permits)
        },
    )

    override suspend fun tryAcquireWithin(
        permits: Long,
        maxWait: Long,
    ): RateLimitResult {
        check(permits)
        val start = clock.nanoTime()
        if (!someoneWaits()) {
            val result = charge(start, permits, maxWait)
            if (result.isAllowed) return served(result, permits, start)
            val wait = result.retryAfterNanos()
            if (wait > maxWait || !result.isWorthWaiting) return told(permits, result.refused(reason(result, permits, maxWait), wait))
        }
        return JointPassage(this, permits, start, maxWait).result()
    }

    private suspend fun served(
        result: RateLimitResult,
        permits: Long,
        start: Long,
    ): RateLimitResult {
        if (result.delayNanos() == 0L) return told(permits, result)
        val served = first.served(members[0], members[0].key, permits, result, start)
        val waited = clock.nanoTime() - start
        members.drop(1).forEach { it.family.observer.granted(it.key, permits, waited) }
        return served
    }

    override fun grantAtOnce(permits: Long): RateLimitResult? {
        if (local == null || someoneWaits()) return null
        return local.tryAcquire(charges(permits), clock.nanoTime(), 0).takeIf { it.isAllowed }?.let { told(permits, it) }
    }

    override fun giveBack(permits: Long) {
        observed(adjust(-permits))
    }

    private fun asked(permits: Long): CompletionStage<RateLimitResult> {
        check(permits)
        if (!someoneWaits()) return observed(first.store.tryAcquireAsync(charges(permits), Long.MAX_VALUE))
        return observed(first.store.peekAsync(charges(permits), 0)).thenApply { it.behindOthers(Refusal.LIMIT) }
    }

    /** Every member's listener hears of a grant; of a refusal, those of the members that have the limit. */
    private fun told(
        permits: Long,
        result: RateLimitResult,
    ): RateLimitResult {
        for (member in members) {
            if (result.isAllowed) {
                member.family.observer.granted(member.key, permits, 0)
            } else if (result.limit() in member.limits()) {
                member.family.observer.refused(member.key, permits, result)
            }
        }
        return result
    }

    override fun tryAcquireAsync(permits: Long): CompletableFuture<RateLimitResult> =
        here(asked(permits), { if (it.isAllowed) giveBack(permits) }) { told(permits, it) }

    override fun tryAcquireBlocking(permits: Long): RateLimitResult = told(permits, asked(permits).joined())

    private fun look(): CompletionStage<RateLimitResult> =
        observed(first.store.peekAsync(charges(1), 0)).thenApply { if (someoneWaits()) it.behindOthers(Refusal.LIMIT) else it }

    override fun peekAsync(): CompletableFuture<RateLimitResult> = here(look()) { it }

    override fun peekBlocking(): RateLimitResult = look().joined()

    private fun forget(): CompletionStage<Void?> = observed(first.store.resetAsync(keys().map { it.second }))

    override fun resetAsync(): CompletableFuture<Void?> = here(forget()) { retimed() }

    override fun resetBlocking() {
        forget().joined()
        retimed()
    }

    private fun correct(
        estimated: Long,
        actual: Long,
    ): CompletionStage<Void?> {
        val permits = correction(estimated, actual)
        return if (permits == 0L) CompletableFuture.completedFuture(null) else observed(adjust(permits))
    }

    override fun settleAsync(
        estimated: Long,
        actual: Long,
    ): CompletableFuture<Void?> = here(correct(estimated, actual)) { retimed() }

    override fun settleBlocking(
        estimated: Long,
        actual: Long,
    ) {
        correct(estimated, actual).joined()
        retimed()
    }

    private fun adjust(permits: Long): CompletionStage<Void?> =
        first.store.adjustAsync(keys().map { (limit, key) -> Adjustment(key, limit, permits) }).whenComplete { _, _ -> retimed() }

    private fun retimed(): Void? {
        members.forEach { it.family.lines.occupied(it.key)?.retime() }
        return null
    }

    private fun charges(permits: Long): List<Charge> =
        keys().map { (limit, key) ->
            limit.checkPermits(permits)
            Charge(key, limit, permits)
        }

    private fun keys(): List<Pair<RateLimit, BucketKey>> =
        members.flatMap { member ->
            val slots = member.family.slots
            slots.limits.mapIndexed { i, limit -> limit to BucketKey(member.family.name, member.key, slots.places[i]) }
        }

    private fun <T> observed(answer: CompletionStage<T>): CompletionStage<T> =
        answer.whenComplete { _, failure -> first.observer.failed(members[0].key, failure.unwrapped()) }

    private fun <T> here(
        answer: CompletionStage<T>,
        unwanted: (T) -> Unit = {},
        told: (T) -> T,
    ): CompletableFuture<T> = answer.handedOver(first.options.handover, { first.observer.failed(members[0].key, it) }, unwanted, told)

    companion object {
        /** In one order wherever the same limiters are joined, so that nobody waits for one who waits for them: first made, first asked. */
        fun of(limiters: List<FamilyLimiter>): JointLimiter {
            val members = limiters.sortedWith(compareBy({ it.family.number }, { "${it.key}" }))
            for ((one, next) in members.zipWithNext()) {
                require(one.family.store === next.family.store) {
                    "'${one.name()}' and '${next.name()}' have different stores; only limiters of one store can be asked together"
                }
                require(one.family !== next.family || "${one.key}" != "${next.key}") {
                    "'${one.name()}' is named twice with the key ${one.key}"
                }
            }
            return JointLimiter(members)
        }
    }
}

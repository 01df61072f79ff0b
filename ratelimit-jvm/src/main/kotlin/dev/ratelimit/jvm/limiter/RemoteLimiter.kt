package dev.ratelimit.jvm.limiter

import dev.ratelimit.Algorithm
import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimitResult
import dev.ratelimit.Refusal
import dev.ratelimit.jvm.store.unwrapped
import dev.ratelimit.spi.Adjustment
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage

/** One key of a limiter in a store that is asked over a wire. Who is cancelled while the question is under way gives its permits back. */
internal class RemoteLimiter(
    private val remote: RemoteFamily,
    key: Any?,
) : FamilyLimiter(remote, key) {
    private val store = remote.store

    override val clock: NanoClock get() = family.clock

    /** The store's own clock rules; this process cannot charge in its past. */
    override val chargesAtTurn: Boolean get() = false

    override fun grantAtOnce(permits: Long): RateLimitResult? = null

    override suspend fun tryAcquireWithin(
        permits: Long,
        maxWait: Long,
    ): RateLimitResult {
        check(permits)
        val start = clock.nanoTime()
        if (family.lines.occupied(key) == null) {
            val slots = family.slots
            val result = observed(asked(slots, permits, maxWait)).awaitOr { if (it.isAllowed) giveBack(slots, permits) }
            if (result.isAllowed) return family.served(this, key, permits, result, start)
            val wait = result.retryAfterNanos()
            if (wait > maxWait || !result.isWorthWaiting) {
                return family.refuse(key, permits, result.refused(reason(result, permits, maxWait), wait))
            }
        }
        return family.awaitInLine(this, key, permits, start, maxWait)
    }

    override suspend fun tryAcquire(
        at: Long,
        permits: Long,
        maxDelay: Long,
    ): RateLimitResult {
        val slots = family.slots
        if (slots.limits.any { it.algorithm() == Algorithm.LEAKY_BUCKET }) {
            return observed(asked(slots, permits, maxDelay)).awaitOr { if (it.isAllowed) giveBack(slots, permits) }
        }
        while (true) {
            val turns = remote.turnsOf(key, ::newTurns)
            turns.next(permits, waiting())?.let { return it }
            turns.more(permits, waiting()).awaitOr { }?.let { return it }
        }
    }

    private fun waiting(): Int = family.lines.occupied(key)?.waiters ?: 1

    private fun newTurns(slots: Slots) =
        Turns(
            clock::nanoTime,
            { size, count -> observed(store.reserveAsync(slots.charges(family.name, key, size), count, AHEAD)).toCompletableFuture() },
            { adjust(slots.returned(family.name, key, it, clock.nanoTime()), store::returnAsync) },
        )

    /**
     * A bucket is asked a little before, so that nobody waits for the answer too. A window is asked when it opens; where its permits come
     * one by one and several wait, not for each.
     */
    override fun sleepFor(wait: Long): Long =
        when {
            (remote.knownTurns(key)?.reserved ?: 0) > 0 -> wait
            !family.slots.allRefillSmoothly -> if (waiting() > 1) wait.coerceAtLeast(TOGETHER) else wait
            wait <= AHEAD -> wait
            else -> wait - AHEAD / 2
        }

    override fun lineEmptied() = remote.lineEmptied(key)

    /** Turns that are here or on their way are charged already, and are not to be counted once more. */
    override suspend fun peek(
        permits: Long,
        ahead: Long,
    ): RateLimitResult {
        val before = remote.knownTurns(key)?.used ?: 0
        while (true) {
            val answer = remote.knownTurns(key)?.underWay ?: break
            answer.handle { _, _ -> }.awaitOr { }
        }
        val turns = remote.knownTurns(key)
        val stillAhead = ahead - ((turns?.used ?: 0) - before).coerceAtLeast(0)
        turns?.expected(permits, stillAhead)?.let { return it }
        val uncharged = (stillAhead - (turns?.reserved ?: 0)).coerceAtLeast(0)
        return observed(store.peekAsync(charges(permits), uncharged)).awaitOr { }
    }

    /** Asks for permits that are there now, unless others wait for them. */
    private fun ask(
        permits: Long,
        slots: Slots = family.slots,
    ): CompletionStage<RateLimitResult> {
        check(permits)
        if (family.lines.occupied(key) == null) return asked(slots, permits, Long.MAX_VALUE)
        return store.peekAsync(charges(permits), 0).thenApply { it.behindOthers(Refusal.LIMIT) }
    }

    private fun told(
        permits: Long,
        result: RateLimitResult,
    ) = result.also { if (it.isAllowed) family.observer.granted(key, permits, 0) else family.observer.refused(key, permits, it) }

    override fun tryAcquireAsync(permits: Long): CompletableFuture<RateLimitResult> =
        family.slots.let { slots -> here(ask(permits, slots), { if (it.isAllowed) giveBack(slots, permits) }) { told(permits, it) } }

    override fun tryAcquireBlocking(permits: Long): RateLimitResult = told(permits, observed(ask(permits)).joined())

    override suspend fun tryAcquireNow(permits: Long): RateLimitResult {
        val slots = family.slots
        return told(permits, observed(ask(permits, slots)).awaitOr { if (it.isAllowed) giveBack(slots, permits) })
    }

    private fun look(): CompletionStage<RateLimitResult> {
        val answer = store.peekAsync(charges(1), 0)
        return if (family.lines.occupied(key) == null) answer else answer.thenApply { it.behindOthers(Refusal.LIMIT) }
    }

    override fun peekAsync(): CompletableFuture<RateLimitResult> = here(look()) { it }

    override fun peekBlocking(): RateLimitResult = observed(look()).joined()

    private fun forget(): CompletionStage<Void?> {
        remote.knownTurns(key)?.forget()
        return store.resetAsync(family.slots.keys(family.name, key))
    }

    override fun resetAsync(): CompletableFuture<Void?> = here(forget()) { retimed() }

    override fun resetBlocking() {
        observed(forget()).joined()
        retimed()
    }

    private fun correct(
        estimated: Long,
        actual: Long,
    ): CompletionStage<Void?> {
        val permits = correction(estimated, actual)
        if (permits == 0L) return CompletableFuture.completedFuture(null)
        return store.adjustAsync(family.slots.adjustments(family.name, key, permits))
    }

    override fun settleAsync(
        estimated: Long,
        actual: Long,
    ): CompletableFuture<Void?> = here(correct(estimated, actual)) { retimed() }

    override fun settleBlocking(
        estimated: Long,
        actual: Long,
    ) {
        observed(correct(estimated, actual)).joined()
        retimed()
    }

    private fun retimed(): Void? {
        family.lines.occupied(key)?.retime()
        return null
    }

    override fun giveBack(permits: Long) = giveBack(family.slots, permits)

    private fun giveBack(
        slots: Slots,
        permits: Long,
    ) = adjust(slots.adjustments(family.name, key, -permits))

    /** Best effort: who had the permits has gone. */
    private fun adjust(
        adjustments: List<Adjustment>,
        how: (List<Adjustment>) -> CompletionStage<Void?> = store::adjustAsync,
    ) {
        if (adjustments.isNotEmpty()) observed(how(adjustments)).thenRun { retimed() }
    }

    private fun asked(
        slots: Slots,
        permits: Long,
        maxDelay: Long,
    ): CompletionStage<RateLimitResult> = store.tryAcquireAsync(slots.charges(family.name, key, permits), maxDelay)

    private companion object {
        /** How long before its instant a turn may be reserved. */
        const val AHEAD = 1_000_000_000L

        /** The time whose permits are asked for together. */
        const val TOGETHER = 25_000_000L
    }

    private fun charges(permits: Long) = family.slots.charges(family.name, key, permits)

    private fun <T> observed(answer: CompletionStage<T>): CompletionStage<T> {
        if (answer is CompletableFuture && answer.isDone && !answer.isCompletedExceptionally) return answer
        return answer.whenComplete { _, failure -> family.observer.failed(key, failure.unwrapped()) }
    }

    private fun <T> here(
        answer: CompletionStage<T>,
        unwanted: (T) -> Unit = {},
        told: (T) -> T,
    ): CompletableFuture<T> = answer.handedOver(family.options.handover, { family.observer.failed(key, it) }, unwanted, told)
}

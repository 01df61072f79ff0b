package dev.ratelimit.jvm.limiter

import dev.ratelimit.Algorithm
import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.Refusal
import dev.ratelimit.jvm.line.Gate
import dev.ratelimit.spi.RateLimitStore
import kotlinx.coroutines.suspendCancellableCoroutine
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionException
import java.util.concurrent.CompletionStage
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ExecutionException
import kotlin.coroutines.resumeWithException

/** The keys of one limiter in a store that is asked over a wire. */
internal class RemoteFamily(
    name: String,
    limits: List<RateLimit>,
    @JvmField val store: RateLimitStore,
    options: LimiterOptions,
    lines: Lines,
) : Family(name, limits, NanoClock.system(), options, lines) {
    private val turns = ConcurrentHashMap<Any, Turns>()

    init {
        limits.forEach(store::check)
    }

    override fun check(limit: RateLimit) = store.check(limit)

    /** Turns belong to the limits under which they were granted. */
    override fun changed() = turns.values.forEach { it.returnAll() }

    /** The turns of the line of [key], for its head. */
    fun turnsOf(
        key: Any?,
        create: () -> Turns,
    ): Turns = checkNotNull(turns.compute(key ?: this) { _, known -> known ?: create() })

    fun reserved(key: Any?): Long = if (turns.isEmpty()) 0 else turns[key ?: this]?.reserved ?: 0

    /** Gives back the turns of a line in which nobody waits. */
    fun lineEmptied(key: Any?) {
        if (turns.isEmpty()) return
        turns.computeIfPresent(key ?: this) { _, known -> if (lines.occupied(key) == null) null.also { known.close() } else known }
    }
}

/** One key of a limiter in a store that is asked over a wire. Who is cancelled while the question is under way gives its permits back. */
internal class RemoteLimiter(
    private val remote: RemoteFamily,
    private val key: Any?,
) : SuspendingLimiter(remote),
    Gate {
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
            val result = observed(store.tryAcquireAsync(charges(permits), maxWait)).awaitOr { if (it.isAllowed) giveBack(permits) }
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
        if (family.slots.limits.any { it.algorithm() == Algorithm.LEAKY_BUCKET }) {
            return observed(store.tryAcquireAsync(charges(permits), maxDelay)).awaitOr { if (it.isAllowed) giveBack(permits) }
        }
        while (true) {
            val turns = remote.turnsOf(key, ::newTurns)
            turns.next(permits, waiting())?.let { return it }
            val reservation = turns.more(permits, waiting()).awaitOr { }
            if (!reservation.result().isAllowed) return reservation.result()
        }
    }

    private fun waiting(): Int = family.lines.occupied(key)?.waiters ?: 1

    private fun newTurns() =
        Turns(
            clock::nanoTime,
            { size, count -> observed(store.reserveAsync(charges(size), count, AHEAD)).toCompletableFuture() },
            { size, dues -> returned(size, dues) },
        )

    /** A turn of a window that has passed is nothing that the next one would have to spare. */
    private fun returned(
        size: Long,
        dues: List<Long>,
    ) {
        val now = clock.nanoTime()
        val turns = if (family.slots.allRefillSmoothly) dues.size else dues.count { it > now }
        if (turns > 0) giveBack(Math.multiplyExact(size, turns.toLong()))
    }

    override fun sleepFor(wait: Long): Long = if (remote.reserved(key) > 0 || wait <= AHEAD) wait else wait - AHEAD / 2

    override fun lineEmptied() = remote.lineEmptied(key)

    override suspend fun peek(
        permits: Long,
        ahead: Long,
    ): RateLimitResult = observed(store.peekAsync(charges(permits), (ahead - remote.reserved(key)).coerceAtLeast(0))).awaitOr { }

    /** Asks for permits that are there now, unless others wait for them. */
    private fun ask(permits: Long): CompletionStage<RateLimitResult> {
        check(permits)
        if (family.lines.occupied(key) == null) return observed(store.tryAcquireAsync(charges(permits), Long.MAX_VALUE))
        return observed(store.peekAsync(charges(permits), 0)).thenApply { it.behindOthers(Refusal.LIMIT) }
    }

    private fun told(
        permits: Long,
        result: RateLimitResult,
    ) = result.also { if (it.isAllowed) family.observer.granted(key, permits, 0) else family.observer.refused(key, permits, it) }

    override fun tryAcquireAsync(permits: Long): CompletableFuture<RateLimitResult> =
        here(ask(permits), { if (it.isAllowed) giveBack(permits) }) { told(permits, it) }

    override fun tryAcquireBlocking(permits: Long): RateLimitResult = told(permits, joined(ask(permits)))

    override suspend fun tryAcquireNow(permits: Long): RateLimitResult =
        told(permits, ask(permits).awaitOr { if (it.isAllowed) giveBack(permits) })

    private fun look(): CompletionStage<RateLimitResult> {
        val answer = observed(store.peekAsync(charges(1), 0))
        return if (family.lines.occupied(key) == null) answer else answer.thenApply { it.behindOthers(Refusal.LIMIT) }
    }

    override fun peekAsync(): CompletableFuture<RateLimitResult> = here(look()) { it }

    override fun peekBlocking(): RateLimitResult = joined(look())

    private fun forget(): CompletionStage<Void?> = observed(store.resetAsync(family.slots.keys(family.name, key)))

    override fun resetAsync(): CompletableFuture<Void?> = here(forget()) { retimed() }

    override fun resetBlocking() {
        joined(forget())
        retimed()
    }

    private fun correct(
        estimated: Long,
        actual: Long,
    ): CompletionStage<Void?> {
        require(estimated >= 0) { "estimated $estimated is negative; write the permits that were granted" }
        require(actual >= 0) { "actual $actual is negative; write the permits that were really used" }
        if (estimated == actual) return CompletableFuture.completedFuture(null)
        return observed(store.adjustAsync(family.slots.adjustments(family.name, key, actual - estimated)))
    }

    override fun settleAsync(
        estimated: Long,
        actual: Long,
    ): CompletableFuture<Void?> = here(correct(estimated, actual)) { retimed() }

    override fun settleBlocking(
        estimated: Long,
        actual: Long,
    ) {
        joined(correct(estimated, actual))
        retimed()
    }

    private fun retimed(): Void? {
        family.lines.occupied(key)?.retime()
        return null
    }

    override fun giveBack(permits: Long) {
        settleAsync(permits, 0)
    }

    private companion object {
        /** How long before its instant a turn may be reserved. */
        const val AHEAD = 1_000_000_000L
    }

    private fun charges(permits: Long) = family.slots.charges(family.name, key, permits)

    private fun <T> observed(answer: CompletionStage<T>): CompletionStage<T> =
        answer.whenComplete { _, failure ->
            val cause = failure.unwrapped()
            if (cause is RateLimitStoreException) family.observer.storeFailed(key, cause)
        }

    /** The answer, on the executor of the caller's choice rather than on the store's thread; one that comes too late is [unwanted]. */
    private fun <T> here(
        answer: CompletionStage<T>,
        unwanted: (T) -> Unit = {},
        told: (T) -> T,
    ): CompletableFuture<T> {
        val future = CompletableFuture<T>()
        if (answer is CompletableFuture && answer.isDone && !answer.isCompletedExceptionally) {
            future.complete(told(answer.join()))
            return future
        }
        answer.whenCompleteAsync(
            { value, failure ->
                when {
                    failure != null -> future.completeExceptionally(failure.unwrapped())
                    future.isDone || !future.complete(told(value)) -> unwanted(value)
                }
            },
            family.options.dispatcher.forFutures(),
        )
        return future
    }

    /**
     * The answer, on this thread. A store bounds the time of its answers; an interrupt meanwhile is kept for later, because what was
     * asked may have been charged already.
     */
    private fun <T> joined(answer: CompletionStage<T>): T {
        val future = answer.toCompletableFuture()
        var interrupted = false
        try {
            while (true) {
                try {
                    return future.get()
                } catch (ignored: InterruptedException) {
                    interrupted = true
                }
            }
        } catch (e: ExecutionException) {
            throw e.cause ?: e
        } finally {
            if (interrupted) Thread.currentThread().interrupt()
        }
    }
}

private fun Throwable?.unwrapped(): Throwable? = if (this is CompletionException) cause ?: this else this

/** Waits for the stage. If the waiting coroutine is cancelled, the value that comes all the same goes to [unwanted]. */
private suspend fun <T> CompletionStage<T>.awaitOr(unwanted: (T) -> Unit): T =
    suspendCancellableCoroutine { continuation ->
        whenComplete { value, failure ->
            if (failure == null) {
                // A continuation that was cancelled before takes this path too, and hands the value over.
                continuation.resume(value) { _, lost, _ -> unwanted(lost) }
            } else {
                continuation.resumeWithException(checkNotNull(failure.unwrapped()))
            }
        }
    }

package dev.ratelimit.jvm.limiter

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.Refusal
import dev.ratelimit.jvm.line.Gate
import dev.ratelimit.spi.RateLimitStore
import kotlinx.coroutines.asExecutor
import kotlinx.coroutines.suspendCancellableCoroutine
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionException
import java.util.concurrent.CompletionStage
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
    override fun changed() = Unit
}

/** One key of a limiter in a store that is asked over a wire. Who is cancelled while the question is under way gives its permits back. */
internal class RemoteLimiter(
    private val family: RemoteFamily,
    private val key: Any?,
) : SuspendingLimiter(family),
    Gate {
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
            val result = tryAcquire(start, permits, maxWait)
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
    ): RateLimitResult =
        observed(family.store.tryAcquireAsync(charges(permits), maxDelay)).awaitOr { if (it.isAllowed) giveBack(permits) }

    override suspend fun peek(
        permits: Long,
        ahead: Long,
    ): RateLimitResult = observed(family.store.peekAsync(charges(permits))).awaitOr { }

    override fun tryAcquireAsync(permits: Long): CompletableFuture<RateLimitResult> {
        check(permits)
        val line = family.lines.occupied(key)
        val answer =
            if (line == null) {
                observed(family.store.tryAcquireAsync(charges(permits), Long.MAX_VALUE))
            } else {
                observed(family.store.peekAsync(charges(permits))).thenApply {
                    it.refused(Refusal.LIMIT, it.retryAfterNanos().coerceAtLeast(1))
                }
            }
        return here(answer).thenApply { result ->
            if (result.isAllowed) family.observer.granted(key, permits, 0) else family.observer.refused(key, permits, result)
            result
        }
    }

    override fun tryAcquireBlocking(permits: Long): RateLimitResult = joined(tryAcquireAsync(permits))

    override fun peekAsync(): CompletableFuture<RateLimitResult> = here(observed(family.store.peekAsync(charges(1))))

    override fun peekBlocking(): RateLimitResult = joined(peekAsync())

    override fun resetAsync(): CompletableFuture<Void?> =
        here(observed(family.store.resetAsync(family.slots.keys(family.name, key)))).thenApply {
            family.lines.occupied(key)?.retime()
            null
        }

    override fun resetBlocking() {
        joined(resetAsync())
    }

    override fun settleAsync(
        estimated: Long,
        actual: Long,
    ): CompletableFuture<Void?> {
        require(estimated >= 0) { "estimated $estimated is negative; write the permits that were granted" }
        require(actual >= 0) { "actual $actual is negative; write the permits that were really used" }
        if (estimated == actual) return CompletableFuture.completedFuture(null)
        val adjustments = family.slots.adjustments(family.name, key, actual - estimated)
        return here(observed(family.store.adjustAsync(adjustments))).thenApply {
            family.lines.occupied(key)?.retime()
            null
        }
    }

    override fun settleBlocking(
        estimated: Long,
        actual: Long,
    ) {
        joined(settleAsync(estimated, actual))
    }

    override fun giveBack(permits: Long) {
        settleAsync(permits, 0)
    }

    private fun charges(permits: Long) = family.slots.charges(family.name, key, permits)

    private fun <T> observed(answer: CompletionStage<T>): CompletionStage<T> =
        answer.whenComplete { _, failure ->
            val cause = failure.unwrapped()
            if (cause is RateLimitStoreException) family.observer.storeFailed(key, cause)
        }

    /** The answer, on the executor of the caller's choice rather than on the store's thread. */
    private fun <T> here(answer: CompletionStage<T>): CompletableFuture<T> {
        val future = CompletableFuture<T>()
        answer.whenCompleteAsync(
            { value, failure -> if (failure == null) future.complete(value) else future.completeExceptionally(failure.unwrapped()) },
            family.options.dispatcher.asExecutor(),
        )
        return future
    }

    private fun <T> joined(future: CompletableFuture<T>): T =
        try {
            future.get()
        } catch (e: ExecutionException) {
            throw e.cause ?: e
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

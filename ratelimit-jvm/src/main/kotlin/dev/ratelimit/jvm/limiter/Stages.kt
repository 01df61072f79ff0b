package dev.ratelimit.jvm.limiter

import dev.ratelimit.jvm.store.unwrapped
import kotlinx.coroutines.suspendCancellableCoroutine
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.ExecutionException
import java.util.function.BiConsumer
import kotlin.coroutines.resumeWithException

/**
 * The answer, on the executor behind [handover] rather than on the store's thread; one that comes too late is [unwanted].
 *
 * @param failed is told of what the stage fails with
 */
internal fun <T> CompletionStage<T>.handedOver(
    handover: Handover,
    failed: (Throwable) -> Unit,
    unwanted: (T) -> Unit,
    told: (T) -> T,
): CompletableFuture<T> {
    if (this is CompletableFuture && isDone && !isCompletedExceptionally) return CompletableFuture.completedFuture(told(join()))
    return Landing(handover, failed, unwanted, told).also(::whenComplete)
}

/** One object for what a future, a callback and a task would be, for there is one for each decision. */
private class Landing<T>(
    private val handover: Handover,
    private val failed: (Throwable) -> Unit,
    private val unwanted: (T) -> Unit,
    private val told: (T) -> T,
) : CompletableFuture<T>(),
    BiConsumer<T, Throwable?>,
    Runnable {
    private var value: T? = null
    private var failure: Throwable? = null

    override fun accept(
        value: T,
        failure: Throwable?,
    ) {
        this.value = value
        this.failure = failure.unwrapped()
        handover.hand(this)
    }

    @Suppress("TooGenericExceptionCaught", "UNCHECKED_CAST")
    override fun run() {
        try {
            val failure = failure
            if (failure != null) {
                failed(failure)
                completeExceptionally(failure)
            } else {
                val value = value as T
                if (isDone || !complete(told(value))) unwanted(value)
            }
        } catch (e: Throwable) {
            completeExceptionally(e)
        }
    }

    /** What others make of it is a future like any other. */
    override fun <U> newIncompleteFuture(): CompletableFuture<U> = CompletableFuture()
}

/**
 * The answer, on this thread. A store bounds the time of its answers; an interrupt meanwhile is kept for later, because what was
 * asked may have been charged already.
 */
internal fun <T> CompletionStage<T>.joined(): T {
    val future = toCompletableFuture()
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

/** Waits for the stage. If the waiting coroutine is cancelled, the value that comes all the same goes to [unwanted]. */
internal suspend fun <T> CompletionStage<T>.awaitOr(unwanted: (T) -> Unit): T =
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

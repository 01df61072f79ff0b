package dev.ratelimit.jvm.limiter

import dev.ratelimit.jvm.store.unwrapped
import kotlinx.coroutines.suspendCancellableCoroutine
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.ExecutionException
import java.util.concurrent.Executor
import kotlin.coroutines.resumeWithException

/** The answer, on [executor] rather than on the store's thread; one that comes too late is [unwanted]. */
internal fun <T> CompletionStage<T>.onExecutor(
    executor: Executor,
    unwanted: (T) -> Unit,
    told: (T) -> T,
): CompletableFuture<T> {
    val future = CompletableFuture<T>()
    if (this is CompletableFuture && isDone && !isCompletedExceptionally) {
        future.complete(told(join()))
        return future
    }
    whenCompleteAsync(
        { value, failure ->
            when {
                failure != null -> future.completeExceptionally(failure.unwrapped())
                future.isDone || !future.complete(told(value)) -> unwanted(value)
            }
        },
        executor,
    )
    return future
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

package dev.ratelimit.jvm.limiter

import dev.ratelimit.RateLimitResult
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExecutorCoroutineDispatcher
import kotlinx.coroutines.asExecutor
import kotlinx.coroutines.launch
import java.util.concurrent.CompletableFuture
import java.util.concurrent.Executor
import java.util.concurrent.RejectedExecutionException

/**
 * Where futures stand in line. Whoever heads a line has to run to pass it on, so not on threads of the user's: all of those may be
 * blocked, and by callers who stand behind it. Nothing of the user's runs here.
 */
private val inLine = Dispatchers.IO.limitedParallelism(2, "ratelimit-line")

/** Where futures are handed to executors that may run what they are given at once, on the thread that gives it to them. */
private val handingOver = Dispatchers.IO.limitedParallelism(64, "ratelimit-futures")

/** Runs what completes futures where the user wants it; if that is over and done with, on a thread of this library, but never not. */
internal fun CoroutineDispatcher.forFutures(): Executor {
    val wanted = asExecutor()
    val instead = handingOver.asExecutor()
    if (this === Dispatchers.Default || this !is ExecutorCoroutineDispatcher) return wanted
    return Executor { task ->
        instead.execute {
            try {
                wanted.execute(task)
            } catch (ignored: RejectedExecutionException) {
                task.run()
            }
        }
    }
}

/**
 * [wait] as a future that completes on [dispatcher], or at once on the caller's thread if nothing had to be waited for. The caller's
 * thread runs [wait] up to its first suspension, so that futures stand in line in the order in which they were asked for.
 *
 * Whoever completes the future first wins. If that is the caller (cancel, orTimeout), the wait is cancelled; if a grant comes
 * at that very moment, it goes to [giveBack].
 */
@Suppress("TooGenericExceptionCaught")
internal fun futureOf(
    dispatcher: CoroutineDispatcher,
    giveBack: () -> Unit,
    wait: suspend () -> RateLimitResult,
): CompletableFuture<RateLimitResult> {
    val future = CompletableFuture<RateLimitResult>()
    // Other dispatchers (virtual time, an event loop) bring the timer that is to be used with them.
    val waiting = if (dispatcher is ExecutorCoroutineDispatcher) inLine else dispatcher
    val caller = Thread.currentThread()
    var atOnce = true
    val job =
        CoroutineScope(waiting).launch(start = CoroutineStart.UNDISPATCHED) {
            val complete =
                try {
                    val result = wait()
                    Runnable { if (!future.complete(result) && result.isAllowed) giveBack() }
                } catch (e: Throwable) {
                    Runnable { future.completeExceptionally(e) }
                }
            if (Thread.currentThread() === caller && atOnce) complete.run() else dispatcher.forFutures().execute(complete)
        }
    atOnce = false
    future.whenComplete { _, _ -> job.cancel() }
    return future
}

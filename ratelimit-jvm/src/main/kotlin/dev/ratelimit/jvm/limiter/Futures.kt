package dev.ratelimit.jvm.limiter

import dev.ratelimit.RateLimitResult
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.launch
import java.util.concurrent.CompletableFuture

/**
 * [wait] as a future that completes on [dispatcher]. The caller's thread runs it up to its first suspension, so that futures stand
 * in line in the order in which they were asked for.
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
    val job =
        CoroutineScope(dispatcher).launch(start = CoroutineStart.UNDISPATCHED) {
            try {
                val result = wait()
                if (!future.complete(result) && result.isAllowed) giveBack()
            } catch (e: Throwable) {
                future.completeExceptionally(e)
            }
        }
    future.whenComplete { _, _ -> job.cancel() }
    return future
}

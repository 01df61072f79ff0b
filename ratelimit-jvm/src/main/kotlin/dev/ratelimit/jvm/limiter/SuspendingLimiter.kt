package dev.ratelimit.jvm.limiter

import dev.ratelimit.RateLimitExceededException
import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.RateLimiter
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.runBlocking
import java.time.Duration
import java.util.concurrent.CompletableFuture

/**
 * A limiter whose waiting is a suspend function; the futures and the blocking calls of the interface are made from it here, so there
 * is one implementation of waiting. [Long.MAX_VALUE] nanoseconds stand for waiting without bound.
 */
internal abstract class SuspendingLimiter : RateLimiter {
    /** Where futures complete that had to wait. */
    protected abstract val dispatcher: CoroutineDispatcher

    /** Takes the permits, waiting for them; a grant or a refusal with its reason. */
    abstract suspend fun tryAcquireWithin(
        permits: Long,
        maxWait: Long,
    ): RateLimitResult

    /** Takes the permits if they are there now. */
    abstract suspend fun tryAcquireNow(permits: Long): RateLimitResult

    /** A grant that can be had at this moment without suspending, else null; no event is told of the latter. */
    abstract fun grantAtOnce(permits: Long): RateLimitResult?

    /** Gives back what was granted to a caller who had gone. */
    abstract fun giveBack(permits: Long)

    /** Throws if [permits] can never be granted. */
    protected abstract fun check(permits: Long)

    /** Calls other suspend functions only as its last act, so that neither a grant at once nor a wait pays for a frame of it. */
    suspend fun acquireWithin(
        permits: Long,
        maxWait: Long,
    ): RateLimitResult = grantAtOnce(permits) ?: acquireInLine(permits, maxWait)

    private suspend fun acquireInLine(
        permits: Long,
        maxWait: Long,
    ): RateLimitResult = tryAcquireWithin(permits, maxWait).granted()

    final override fun tryAcquireAsync(
        permits: Long,
        maxWait: Duration,
    ): CompletableFuture<RateLimitResult> {
        val nanos = maxWait.toWaitNanos()
        return future(permits) { tryAcquireWithin(permits, nanos) }
    }

    final override fun acquireAsync(permits: Long): CompletableFuture<RateLimitResult> =
        future(permits) { acquireWithin(permits, Long.MAX_VALUE) }

    final override fun acquireAsync(
        permits: Long,
        maxWait: Duration,
    ): CompletableFuture<RateLimitResult> {
        val nanos = maxWait.toWaitNanos()
        return future(permits) { acquireWithin(permits, nanos) }
    }

    final override fun tryAcquireBlocking(
        permits: Long,
        maxWait: Duration,
    ): RateLimitResult {
        val nanos = maxWait.toWaitNanos()
        return blocking(permits) { tryAcquireWithin(permits, nanos) }
    }

    final override fun acquireBlocking(permits: Long): RateLimitResult = blocking(permits) { acquireWithin(permits, Long.MAX_VALUE) }

    final override fun acquireBlocking(
        permits: Long,
        maxWait: Duration,
    ): RateLimitResult {
        val nanos = maxWait.toWaitNanos()
        return blocking(permits) { acquireWithin(permits, nanos) }
    }

    private fun future(
        permits: Long,
        wait: suspend () -> RateLimitResult,
    ): CompletableFuture<RateLimitResult> {
        check(permits)
        try {
            grantAtOnce(permits)?.let { return CompletableFuture.completedFuture(it) }
        } catch (e: RateLimitStoreException) {
            return CompletableFuture.failedFuture(e)
        }
        return futureOf(dispatcher, { giveBack(permits) }, wait)
    }

    private fun blocking(
        permits: Long,
        wait: suspend () -> RateLimitResult,
    ): RateLimitResult {
        check(permits)
        if (Thread.interrupted()) throw InterruptedException("interrupted before asking '${name()}' for permits")
        grantAtOnce(permits)?.let { return it }
        var result: RateLimitResult? = null
        try {
            runBlocking { result = wait() }
        } catch (e: InterruptedException) {
            // The permits were granted at the very moment of the interrupt: keep both.
            if (result?.isAllowed != true) throw e
            Thread.currentThread().interrupt()
        }
        return checkNotNull(result) { "a wait ends with a result or an exception" }
    }

    private fun RateLimitResult.granted(): RateLimitResult = if (isAllowed) this else throw RateLimitExceededException(this)

    override fun toString(): String = "${name()} ${limits()}"
}

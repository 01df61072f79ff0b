package dev.ratelimit.jvm.limiter

import dev.ratelimit.LocalRateLimiter
import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimitResult
import dev.ratelimit.Refusal
import java.util.concurrent.CompletableFuture

/** One key of a limiter on a store that answers at once. Subclasses say how to ask the store; this class keeps the line's rights. */
internal abstract class LocalLimiter(
    family: Family,
    key: Any?,
) : FamilyLimiter(family, key),
    LocalRateLimiter {
    /** Charges at [at], a reading of the clock. */
    protected abstract fun takeAt(
        at: Long,
        permits: Long,
        maxDelay: Long,
    ): RateLimitResult

    protected abstract fun look(
        permits: Long,
        ahead: Long,
    ): RateLimitResult

    protected abstract fun forget()

    /** Takes [permits] without asking, or gives them back when negative. */
    protected abstract fun adjust(permits: Long)

    final override val clock: NanoClock = family.clock

    final override val chargesAtTurn: Boolean get() = family.chargesAtTurn

    final override fun tryAcquire(): RateLimitResult = tryAcquire(1)

    final override fun tryAcquire(permits: Long): RateLimitResult {
        // The clock first: what is looked up after it costs next to nothing, because the processor does both at once.
        val now = clock.nanoTime()
        val line = family.lines.occupied(key)
        val result = if (line == null) takeAt(now, permits, Long.MAX_VALUE) else behind(line.queuedPermits, permits)
        if (family.observer.watches(result)) tell(permits, result)
        return result
    }

    private fun tell(
        permits: Long,
        result: RateLimitResult,
    ) {
        if (result.isAllowed) family.observer.granted(key, permits, 0) else family.observer.refused(key, permits, result)
    }

    /** The answer to one who does not wait, while others do. */
    private fun behind(
        queued: Long,
        permits: Long,
    ): RateLimitResult {
        check(permits)
        return look(permits, queued).behindOthers(Refusal.LIMIT)
    }

    final override suspend fun tryAcquireNow(permits: Long): RateLimitResult = tryAcquire(permits)

    final override suspend fun tryAcquireWithin(
        permits: Long,
        maxWait: Long,
    ): RateLimitResult {
        check(permits)
        val start = clock.nanoTime()
        if (family.lines.occupied(key) == null) {
            val result = takeOnSchedule(start, permits, maxWait)
            if (result.isAllowed) return served(result, permits, start)
            val wait = result.retryAfterNanos()
            if (wait > maxWait || !result.isWorthWaiting) {
                return family.refuse(key, permits, result.refused(reason(result, permits, maxWait), wait))
            }
        }
        return family.awaitInLine(this, key, permits, start, maxWait)
    }

    private fun takeOnSchedule(
        now: Long,
        permits: Long,
        maxDelay: Long,
    ): RateLimitResult {
        var behind = family.lines.behind(this, now)
        while (true) {
            val result = takeAt(now - behind, permits, maxDelay)
            if (result.isAllowed) family.lines.granted(now - behind, behind, result)
            if (result.isAllowed || behind == 0L) return result
            // The schedule is behind the clock: what it has to wait for may be there already.
            behind = (behind - result.retryAfterNanos()).coerceAtLeast(0)
        }
    }

    private suspend fun served(
        result: RateLimitResult,
        permits: Long,
        start: Long,
    ): RateLimitResult {
        if (result.delayNanos() > 0) return family.served(this, key, permits, result, start)
        family.observer.granted(key, permits, 0)
        return result
    }

    final override fun grantAtOnce(permits: Long): RateLimitResult? {
        if (family.lines.occupied(key) != null) return null
        val result = takeOnSchedule(clock.nanoTime(), permits, 0)
        if (!result.isAllowed) return null
        family.observer.granted(key, permits, 0)
        return result
    }

    final override suspend fun tryAcquire(
        at: Long,
        permits: Long,
        maxDelay: Long,
    ): RateLimitResult = takeAt(at, permits, maxDelay)

    final override suspend fun peek(
        permits: Long,
        ahead: Long,
    ): RateLimitResult = look(permits, ahead)

    final override fun peek(): RateLimitResult {
        val line = family.lines.occupied(key) ?: return look(1, 0)
        return behind(line.queuedPermits, 1)
    }

    final override fun reset() {
        forget()
        family.lines.occupied(key)?.retime()
    }

    final override fun settle(
        estimated: Long,
        actual: Long,
    ) {
        val permits = correction(estimated, actual)
        if (permits == 0L) return
        adjust(permits)
        family.lines.occupied(key)?.retime()
    }

    final override fun giveBack(permits: Long) = settle(permits, 0)

    final override fun tryAcquireAsync(permits: Long): CompletableFuture<RateLimitResult> = done { tryAcquire(permits) }

    final override fun tryAcquireBlocking(permits: Long): RateLimitResult = tryAcquire(permits)

    final override fun peekAsync(): CompletableFuture<RateLimitResult> = done { peek() }

    final override fun peekBlocking(): RateLimitResult = peek()

    final override fun resetAsync(): CompletableFuture<Void?> =
        done {
            reset()
            null
        }

    final override fun resetBlocking() = reset()

    final override fun settleAsync(
        estimated: Long,
        actual: Long,
    ): CompletableFuture<Void?> =
        done {
            settle(estimated, actual)
            null
        }

    final override fun settleBlocking(
        estimated: Long,
        actual: Long,
    ) = settle(estimated, actual)

    /** A store's failure is the future's; a caller's mistake is thrown. */
    private inline fun <T> done(action: () -> T): CompletableFuture<T> =
        try {
            CompletableFuture.completedFuture(action())
        } catch (e: dev.ratelimit.RateLimitStoreException) {
            CompletableFuture.failedFuture(e)
        }
}

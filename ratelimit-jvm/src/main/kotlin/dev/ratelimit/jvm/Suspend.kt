package dev.ratelimit.jvm

import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.limiter.SuspendingLimiter
import dev.ratelimit.jvm.limiter.toWaitNanos
import kotlinx.coroutines.future.await
import kotlin.time.Duration
import kotlin.time.toJavaDuration

/**
 * Waits for [permits], first in, first out, and returns with them.
 *
 * Nothing is charged before the caller's turn: cancelling the coroutine while it waits costs nothing, and those behind move up. (The
 * turn that a leaky bucket has given stays spent.) Once permits are charged, the call returns; it never throws them away.
 *
 * Whoever is first in line waits on its own dispatcher. Do not block that: those behind would wait with it.
 *
 * @param maxWait the longest wait
 * @throws dev.ratelimit.RateLimitExceededException at once, if the permits cannot come within [maxWait]
 * @throws IllegalArgumentException if [permits] is below 1 or above what a limit can ever grant, or [maxWait] is negative
 * @throws dev.ratelimit.RateLimitStoreException if the store cannot answer
 */
@JvmSynthetic
public suspend fun RateLimiter.acquire(
    permits: Long = 1,
    maxWait: Duration = Duration.INFINITE,
): RateLimitResult =
    if (this is SuspendingLimiter) acquireWithin(permits, maxWait.toWaitNanos()) else acquireElsewhere(permits, maxWait)

private suspend fun RateLimiter.acquireElsewhere(
    permits: Long,
    maxWait: Duration,
): RateLimitResult = (if (maxWait.isInfinite()) acquireAsync(permits) else acquireAsync(permits, maxWait.toJavaDuration())).await()

/**
 * Takes [permits] if they are there now, and says so in the result. Does not wait for permits, nor overtake those who do.
 *
 * @throws IllegalArgumentException if [permits] is below 1 or above what a limit can ever grant
 * @throws dev.ratelimit.RateLimitStoreException if the store cannot answer
 */
@JvmSynthetic
public suspend fun RateLimiter.tryAcquire(permits: Long = 1): RateLimitResult =
    if (this is SuspendingLimiter) tryAcquireNow(permits) else tryAcquireAsync(permits).await()

/**
 * As [acquire], but a refusal is a result, not an exception.
 *
 * @throws IllegalArgumentException if [permits] is below 1 or above what a limit can ever grant, or [maxWait] is negative
 * @throws dev.ratelimit.RateLimitStoreException if the store cannot answer
 */
@JvmSynthetic
public suspend fun RateLimiter.tryAcquire(
    permits: Long = 1,
    maxWait: Duration,
): RateLimitResult =
    if (this is SuspendingLimiter) tryAcquireWithin(permits, maxWait.toWaitNanos()) else tryAcquireElsewhere(permits, maxWait)

private suspend fun RateLimiter.tryAcquireElsewhere(
    permits: Long,
    maxWait: Duration,
): RateLimitResult = tryAcquireAsync(permits, if (maxWait.isInfinite()) FOR_EVER else maxWait.toJavaDuration()).await()

/** [acquire], then [block]. What [block] throws does not give the permits back: the call was made. */
@JvmSynthetic
public suspend inline fun <T> RateLimiter.withPermit(
    permits: Long = 1,
    maxWait: Duration = Duration.INFINITE,
    block: () -> T,
): T {
    acquire(permits, maxWait)
    return block()
}

/** [block] as a function that waits for a permit before each call. */
@JvmSynthetic
public fun <T> RateLimiter.wrap(block: suspend () -> T): suspend () -> T = { withPermit { block() } }

/** [block] as a function that waits for a permit before each call. */
@JvmSynthetic
public fun <A, T> RateLimiter.wrap(block: suspend (A) -> T): suspend (A) -> T = { argument -> withPermit { block(argument) } }

/** What asking for one permit would answer now; changes nothing. */
@JvmSynthetic
public suspend fun RateLimiter.peek(): RateLimitResult = peekAsync().await()

/** Forgets all that was used, as if the limiter (or this key of it) were new. */
@JvmSynthetic
public suspend fun RateLimiter.reset() {
    resetAsync().await()
}

/** Corrects an earlier grant of [estimated] permits to the [actual] ones; see [RateLimiter.settleAsync]. */
@JvmSynthetic
public suspend fun RateLimiter.settle(
    estimated: Long,
    actual: Long,
) {
    settleAsync(estimated, actual).await()
}

private val FOR_EVER: java.time.Duration = java.time.Duration.ofNanos(Long.MAX_VALUE)

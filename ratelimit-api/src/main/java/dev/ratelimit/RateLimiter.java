package dev.ratelimit;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Admits callers at the pace of one or more {@link RateLimit}s; several limits are asked as one: all grant, or none is charged.
 *
 * <p>Three faces. Kotlin calls the suspend functions {@code acquire}, {@code tryAcquire} and {@code withPermit} (extensions of
 * this type). Java calls {@code …Async}, which returns futures, or {@code …Blocking}, which holds the calling thread and is
 * meant for virtual threads above all.
 *
 * <p>{@code acquire…} ends with the permits or throws; {@code tryAcquire…} ends with a result that says yes or no. Those who wait
 * are served first in, first out, and nothing is charged before its turn: whoever stops waiting (time out, cancellation,
 * interrupt) costs nothing, and those behind move up. While somebody waits, {@code tryAcquire} overtakes nobody.
 *
 * <p>Every method that asks for permits throws {@link IllegalArgumentException} at once when the number is below one or above
 * what a limit can ever grant. All methods are thread-safe.
 */
public interface RateLimiter {

    /** The name under which the store keeps the buckets, and that listeners and logs show. */
    String name();

    /** The limits in force, at least one. */
    List<RateLimit> limits();

    /**
     * Replaces the limits for all keys of this limiter, in this process at once, and re-times those who wait (not the turns that a leaky bucket has given already). Permits used
     * are not forgotten: a token bucket keeps the tokens it has (up to the new burst; a full one stays full), a leaky bucket its
     * level, windows and logs their counts.
     *
     * @throws IllegalArgumentException when there are no limits
     */
    void setLimits(List<RateLimit> limits);

    /** As {@link #setLimits(List)}. */
    default void setLimits(RateLimit... limits) {
        setLimits(Arrays.asList(Objects.requireNonNull(limits, "limits")));
    }

    /** As {@link #tryAcquireAsync(long)} with one permit. */
    default CompletableFuture<RateLimitResult> tryAcquireAsync() {
        return tryAcquireAsync(1);
    }

    /**
     * Takes the permits if they are there now. The future fails only with {@link RateLimitStoreException}.
     */
    CompletableFuture<RateLimitResult> tryAcquireAsync(long permits);

    /**
     * Takes the permits, waiting for them up to {@code maxWait}; when they cannot come by then, the refusal comes at once.
     * Cancelling the future leaves the line at no cost.
     */
    CompletableFuture<RateLimitResult> tryAcquireAsync(long permits, Duration maxWait);

    /** As {@link #acquireAsync(long)} with one permit. */
    default CompletableFuture<RateLimitResult> acquireAsync() {
        return acquireAsync(1);
    }

    /** Waits for the permits as long as it takes. Cancelling the future leaves the line at no cost. */
    CompletableFuture<RateLimitResult> acquireAsync(long permits);

    /** As {@link #acquireAsync(long, Duration)} with one permit. */
    default CompletableFuture<RateLimitResult> acquireAsync(Duration maxWait) {
        return acquireAsync(1, maxWait);
    }

    /**
     * Waits for the permits up to {@code maxWait}; when they cannot come by then, the future fails at once with
     * {@link RateLimitExceededException}. Cancelling the future leaves the line at no cost.
     */
    CompletableFuture<RateLimitResult> acquireAsync(long permits, Duration maxWait);

    /** As {@link #tryAcquireBlocking(long)} with one permit. */
    default RateLimitResult tryAcquireBlocking() {
        return tryAcquireBlocking(1);
    }

    /** Takes the permits if they are there now. Blocks only as long as the store needs to answer. */
    RateLimitResult tryAcquireBlocking(long permits);

    /**
     * Takes the permits, waiting for them up to {@code maxWait}; when they cannot come by then, the refusal comes at once.
     *
     * @throws InterruptedException when the thread is interrupted before the permits are granted; nothing is charged then
     */
    RateLimitResult tryAcquireBlocking(long permits, Duration maxWait) throws InterruptedException;

    /**
     * As {@link #acquireBlocking(long)} with one permit.
     *
     * @throws InterruptedException when the thread is interrupted before the permit is granted; nothing is charged then
     */
    default RateLimitResult acquireBlocking() throws InterruptedException {
        return acquireBlocking(1);
    }

    /**
     * Waits for the permits as long as it takes, parking the thread (virtual threads are not pinned).
     *
     * @throws InterruptedException when the thread is interrupted before the permits are granted; nothing is charged then
     */
    RateLimitResult acquireBlocking(long permits) throws InterruptedException;

    /**
     * As {@link #acquireBlocking(long, Duration)} with one permit.
     *
     * @throws InterruptedException when the thread is interrupted before the permit is granted; nothing is charged then
     */
    default RateLimitResult acquireBlocking(Duration maxWait) throws InterruptedException {
        return acquireBlocking(1, maxWait);
    }

    /**
     * Waits for the permits up to {@code maxWait}.
     *
     * @throws RateLimitExceededException at once, when they cannot come by then
     * @throws InterruptedException when the thread is interrupted before the permits are granted; nothing is charged then
     */
    RateLimitResult acquireBlocking(long permits, Duration maxWait) throws InterruptedException;

    /** What asking for one permit would answer now; changes nothing. */
    CompletableFuture<RateLimitResult> peekAsync();

    /** What asking for one permit would answer now; changes nothing. */
    RateLimitResult peekBlocking();

    /**
     * Forgets all that was used, as if the limiter (or this key of it) were new. Those who wait are re-timed, except for turns
     * that a leaky bucket has given already.
     */
    CompletableFuture<@Nullable Void> resetAsync();

    /** As {@link #resetAsync()}. */
    void resetBlocking();

    /**
     * Corrects an earlier grant of {@code estimated} permits to what was really used: gives the difference back, or takes it as
     * debt, which later calls wait for. For costs known only afterwards, such as bytes or tokens of a language model.
     *
     * <p>A bucket does not know which grant is corrected. A log gives back its oldest permits, which is never too much. A window
     * counter corrects its current window: what was granted before an edge and is given back after it may be granted once more.
     *
     * @throws IllegalArgumentException when one of the numbers is negative
     */
    CompletableFuture<@Nullable Void> settleAsync(long estimated, long actual);

    /** As {@link #settleAsync(long, long)}. */
    void settleBlocking(long estimated, long actual);
}

package dev.ratelimit.spi;

import dev.ratelimit.RateLimit;
import dev.ratelimit.RateLimitResult;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Where buckets live. Four operations; the published conformance kit tells when an implementation is right. What has a default is
 * for stores that can do better.
 *
 * <p>Each operation is atomic over its whole list and thread-safe. A failure completes the stage with
 * {@link dev.ratelimit.RateLimitStoreException}. Lists are never empty. The same bucket may stand in a list more than once; its
 * permits then add up.
 */
public interface RateLimitStore extends AutoCloseable {

    /**
     * Grants all charges or none. Granted: the result of the limit with the fewest permits left, with the longest delay of all.
     * Refused: the result of the limit with the longest wait; nothing has changed.
     *
     * @param maxDelayNanos refuse when the turn ({@link RateLimitResult#delay()}) would come later than this;
     *     {@link Long#MAX_VALUE} for no bound
     */
    CompletionStage<RateLimitResult> tryAcquireAsync(List<Charge> charges, long maxDelayNanos);

    /**
     * What {@link #tryAcquireAsync} would answer now, if {@code ahead} permits were granted to others before, which wait in line
     * already: of a refusal, the wait is the least that is possible then. Changes nothing.
     */
    CompletionStage<RateLimitResult> peekAsync(List<Charge> charges, long ahead);

    /** Applies corrections; never refuses. */
    CompletionStage<@Nullable Void> adjustAsync(List<Adjustment> adjustments);

    /** Forgets exactly these buckets. */
    CompletionStage<@Nullable Void> resetAsync(List<BucketKey> keys);

    /**
     * Grants up to {@code most} turns that are to come, each of all charges, for callers who wait in line: so a store behind a wire
     * is asked once for many. The first comes within {@code withinNanos}, the others soon after it; those that nobody uses are given
     * back by {@link #returnAsync}. By default, a single turn if it is there now.
     *
     * <p>A turn counts from its own instant on. Where a limit counts in windows that instant is now: a bucket that was charged ahead
     * could not tell what is still free in the window that is open.
     */
    default CompletionStage<Reservation> reserveAsync(List<Charge> charges, int most, long withinNanos) {
        return tryAcquireAsync(charges, withinNanos)
                .thenApply(result ->
                        result.isAllowed() ? Reservation.of(result, result.delayNanos()) : Reservation.of(result));
    }

    /**
     * Gives turns back that were granted by {@link #reserveAsync} and that nobody uses: negative permits, for each bucket that was
     * charged. A store that charges ahead lets them come back only as far as turns of others that come later leave room. By
     * default, as {@link #adjustAsync}.
     */
    default CompletionStage<@Nullable Void> returnAsync(List<Adjustment> turns) {
        return adjustAsync(turns);
    }

    /**
     * Tells that this process goes by these limits, for as long as {@code validity} lasts, and which limits all live processes go by
     * under the same name, these among them. By default, these alone.
     *
     * @param limiter the limiter's name
     * @param member names the declaring limiter, different from all others
     */
    default CompletionStage<Set<RateLimit>> declareAsync(
            String limiter, String member, List<RateLimit> limits, Duration validity) {
        return CompletableFuture.completedFuture(Set.copyOf(limits));
    }

    /**
     * Checks that buckets of this limit can be held; limiters ask when they are built.
     *
     * @throws IllegalArgumentException if not, saying what to write instead
     */
    default void check(RateLimit limit) {}

    /**
     * Whether one call can charge all of these buckets. By default, always; not where they are on different servers. Whoever charges buckets
     * of several limiters asks, and makes several calls if it has to.
     */
    default boolean reachesTogether(List<BucketKey> keys) {
        return true;
    }

    /** Gives up connections and files. Limiters that use this store then fail with an exception that says so. */
    @Override
    default void close() {}
}

package dev.ratelimit.spi;

import dev.ratelimit.RateLimitResult;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Where buckets live. Five operations; the published conformance kit tells when an implementation is right.
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

    /** What {@link #tryAcquireAsync} would answer now; changes nothing. */
    CompletionStage<RateLimitResult> peekAsync(List<Charge> charges);

    /** Applies corrections; never refuses. */
    CompletionStage<@Nullable Void> adjustAsync(List<Adjustment> adjustments);

    /** Forgets exactly these buckets. */
    CompletionStage<@Nullable Void> resetAsync(List<BucketKey> keys);

    /** Gives up connections and files. Limiters that use this store then fail with an exception that says so. */
    @Override
    default void close() {}
}

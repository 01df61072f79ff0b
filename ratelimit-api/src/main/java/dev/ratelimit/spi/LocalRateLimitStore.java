package dev.ratelimit.spi;

import dev.ratelimit.NanoClock;
import dev.ratelimit.RateLimitResult;
import dev.ratelimit.RateLimitStoreException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A store that answers at once, without I/O. Instants are readings of {@link #clock()}, passed in, so that a waiting line can
 * charge at the instant that was scheduled although its timer fired a little later.
 */
public interface LocalRateLimitStore extends RateLimitStore {

    /** The clock whose readings the other methods take. */
    NanoClock clock();

    /**
     * As {@link #tryAcquireAsync}, at the instant {@code at}, which is not later than now.
     *
     * @throws RateLimitStoreException when the store cannot answer
     */
    RateLimitResult tryAcquire(List<Charge> charges, long at, long maxDelayNanos);

    /**
     * As {@link #peekAsync}, at the instant {@code at}.
     *
     * @throws RateLimitStoreException when the store cannot answer
     */
    RateLimitResult peek(List<Charge> charges, long at, long ahead);

    /** As {@link #adjustAsync}. */
    void adjust(List<Adjustment> adjustments);

    /** As {@link #resetAsync}. */
    void reset(List<BucketKey> keys);

    @Override
    default CompletionStage<RateLimitResult> tryAcquireAsync(List<Charge> charges, long maxDelayNanos) {
        return answer(() -> tryAcquire(charges, clock().nanoTime(), maxDelayNanos));
    }

    @Override
    default CompletionStage<RateLimitResult> peekAsync(List<Charge> charges, long ahead) {
        return answer(() -> peek(charges, clock().nanoTime(), ahead));
    }

    @Override
    default CompletionStage<@Nullable Void> adjustAsync(List<Adjustment> adjustments) {
        return done(() -> adjust(adjustments));
    }

    @Override
    default CompletionStage<@Nullable Void> resetAsync(List<BucketKey> keys) {
        return done(() -> reset(keys));
    }

    private static CompletionStage<RateLimitResult> answer(Supplier<RateLimitResult> question) {
        try {
            return CompletableFuture.completedFuture(question.get());
        } catch (RateLimitStoreException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static CompletionStage<@Nullable Void> done(Runnable action) {
        try {
            action.run();
            return CompletableFuture.completedFuture(null);
        } catch (RateLimitStoreException e) {
            return CompletableFuture.failedFuture(e);
        }
    }
}

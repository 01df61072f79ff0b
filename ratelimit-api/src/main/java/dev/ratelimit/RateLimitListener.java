package dev.ratelimit;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Told what happens at a limiter. Called on the thread of the call it reports, so it must be quick and must not block; it must
 * be thread-safe. An exception that it throws is logged and harms nobody.
 *
 * <p>{@code limiter} is the limiter's name; {@code key} is the key of a {@link KeyedRateLimiter}, {@code null} for a plain one.
 */
public interface RateLimitListener {

    /** A call joins the line; {@code expected} is the least time it will wait. */
    default void onWait(String limiter, @Nullable Object key, long permits, Duration expected) {}

    /** Permits were granted, after {@code waited} in the line (zero for most). */
    default void onGrant(String limiter, @Nullable Object key, long permits, Duration waited) {}

    /** A call was refused, at once or after waiting; {@link RateLimitResult#refusal()} tells why. */
    default void onRefusal(String limiter, @Nullable Object key, long permits, RateLimitResult result) {}

    /** The store could not answer. */
    default void onStoreFailure(String limiter, @Nullable Object key, RateLimitStoreException failure) {}
}

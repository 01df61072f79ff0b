package dev.ratelimit;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * The same limits for each of many keys: users, hosts, tenants. Idle keys are forgotten, as calls for
 * others come, once that loses nothing.
 *
 * @param <K> the type of the keys, with {@code equals} and {@code hashCode} by value
 */
public interface KeyedRateLimiter<K> {

    /** The name under which the store keeps the buckets, and that listeners and logs show. */
    String name();

    /** The limits in force for each key. */
    List<RateLimit> limits();

    /** Replaces the limits of all keys, as {@link RateLimiter#setLimits(List)}. */
    void setLimits(List<RateLimit> limits);

    /** As {@link #setLimits(List)}. */
    default void setLimits(RateLimit... limits) {
        setLimits(Arrays.asList(Objects.requireNonNull(limits, "limits")));
    }

    /** The limiter of one key: a light handle; asking for it creates nothing in the store. */
    RateLimiter get(K key);
}

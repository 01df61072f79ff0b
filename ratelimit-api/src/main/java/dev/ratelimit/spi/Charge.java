package dev.ratelimit.spi;

import dev.ratelimit.RateLimit;
import java.util.Objects;

/**
 * Permits asked of one bucket under one limit. A list of charges is one operation: all are granted, or nothing changes.
 *
 * @param key the bucket
 * @param limit the limit that rules the bucket from this call on; a bucket that was ruled by another keeps what was used
 * @param permits how many, from 1 to the limit's burst
 */
public record Charge(BucketKey key, RateLimit limit, long permits) {

    /** Checks the arguments: a charge that can never be granted is never built. */
    public Charge {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(limit, "limit").checkPermits(permits);
    }
}

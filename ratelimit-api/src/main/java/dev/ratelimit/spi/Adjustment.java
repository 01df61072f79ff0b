package dev.ratelimit.spi;

import dev.ratelimit.RateLimit;
import java.util.Objects;

/**
 * A correction of one bucket after the fact.
 *
 * @param key the bucket
 * @param limit the limit that rules the bucket
 * @param permits above zero: taken without asking, as debt if need be; below zero: given back, up to full
 */
public record Adjustment(BucketKey key, RateLimit limit, long permits) {

    /** Checks the arguments. */
    public Adjustment {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(limit, "limit");
        if (permits == Long.MIN_VALUE) {
            throw new IllegalArgumentException(
                    "permits " + permits + " cannot be given back; at most " + Long.MAX_VALUE);
        }
    }
}

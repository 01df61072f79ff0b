package dev.ratelimit.spi;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Names one bucket in a store: the limiter's name, the caller's key, and which of the limiter's limits. Three fields rather than
 * one joined text, so that no two buckets can collide, whatever the texts contain.
 *
 * @param limiter the limiter's name
 * @param key the key of a keyed limiter; {@code null} for a plain one
 * @param slot the place of the limit within its limiter, from 0
 */
public record BucketKey(String limiter, @Nullable Object key, int slot) {

    /** Checks the arguments. */
    public BucketKey {
        Objects.requireNonNull(limiter, "limiter");
        if (slot < 0) {
            throw new IllegalArgumentException("slot " + slot + " is negative; the first limit has slot 0");
        }
    }
}

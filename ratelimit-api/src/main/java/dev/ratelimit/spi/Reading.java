package dev.ratelimit.spi;

/** Reads the numbers of a result out of the state on which it was decided. Pure functions: whenever they are asked, they answer the same. */
public interface Reading {

    /** The most permits that one call could be granted in {@code state}. */
    long remaining(long state, long now);

    /** How long a call for {@code permits} that was refused in {@code state} has to wait. */
    long retryAfterNanos(long state, long now, long permits, long maxDelayNanos);

    /** How long until {@code state} is as if it had never been used. */
    long resetAfterNanos(long state, long now);
}

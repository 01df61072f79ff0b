package dev.ratelimit;

/**
 * A limiter whose store is within this process or machine, so that asking is a matter of nanoseconds and involves no I/O.
 * Kotlin and Java both call these members directly; waiting is as with every {@link RateLimiter}.
 */
public interface LocalRateLimiter extends RateLimiter {

    /** As {@link #tryAcquire(long)} with one permit. */
    RateLimitResult tryAcquire();

    /** Takes the permits if they are there now and nobody waits; never blocks and never waits. */
    RateLimitResult tryAcquire(long permits);

    /** What asking for one permit would answer now; changes nothing. */
    RateLimitResult peek();

    /**
     * Forgets all that was used, as if the limiter (or this key of it) were new. Those who wait are re-timed, except for turns
     * that a leaky bucket has given already.
     */
    void reset();

    /** As {@link #settleAsync(long, long)}, at once. */
    void settle(long estimated, long actual);
}

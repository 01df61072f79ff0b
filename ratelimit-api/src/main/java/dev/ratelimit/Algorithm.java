package dev.ratelimit;

/**
 * How a {@link RateLimit} counts. All five are exact: none of them rounds a permit into or out of existence.
 */
public enum Algorithm {
    /**
     * Starts full at {@code burst} permits and refills continuously. Any span of time {@code t} admits at most
     * {@code burst + rate * t}. The default, and the right choice unless one of the others is asked for by name.
     *
     * <p>Computed as the Generic Cell Rate Algorithm of ITU-T I.371 (virtual scheduling).
     */
    TOKEN_BUCKET("token-bucket"),

    /**
     * A queue that drains at a constant rate: a call is accepted while there is room, and told its turn in
     * {@link RateLimitResult#delay()}; turns are evenly spaced. A full bucket refuses at once.
     *
     * <p>Turner, "New directions in communications", IEEE Communications Magazine 24 (1986), in its form as a queue.
     */
    LEAKY_BUCKET("leaky-bucket"),

    /**
     * Windows aligned to multiples of the period since the clock's epoch, each admitting {@code permits}. Cheap and easy to
     * explain; across the edge of two windows it lets through up to twice its permits in a short time.
     */
    FIXED_WINDOW("fixed-window"),

    /**
     * The sliding window counter: the previous window's count, weighted by how much of it still lies within one period,
     * plus the current count. Constant memory; assumes that the previous window's permits were spread evenly.
     */
    SLIDING_WINDOW("sliding-window"),

    /**
     * The sliding log: every half-open window of one period holds at most {@code permits}, wherever it starts.
     * Memory grows with the permits granted within one period.
     */
    SLIDING_LOG("sliding-log");

    private final String text;

    Algorithm(String text) {
        this.text = text;
    }

    /** The name used by {@link RateLimit#toString()} and {@link RateLimit#parse(String)}, such as {@code sliding-log}. */
    @Override
    public String toString() {
        return text;
    }
}

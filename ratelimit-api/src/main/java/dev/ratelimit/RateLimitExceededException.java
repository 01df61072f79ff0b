package dev.ratelimit;

import java.util.Objects;

/**
 * Not now: a limit has no permits left, or they would not come within the time that the caller is willing to wait.
 *
 * <p>The other two noes are {@link IllegalArgumentException} (never: the call asks for more than the limit can ever grant) and
 * {@link RateLimitStoreException} (broken: the store could not answer).
 */
public class RateLimitExceededException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final transient RateLimitResult result;

    /** Carries the refusal. */
    public RateLimitExceededException(RateLimitResult result) {
        super("rate limit exceeded: " + Objects.requireNonNull(result, "result"));
        this.result = result;
    }

    /** The refusal, with {@link RateLimitResult#retryAfter()} and the reason. Not kept by Java serialization. */
    public RateLimitResult getResult() {
        return result;
    }
}

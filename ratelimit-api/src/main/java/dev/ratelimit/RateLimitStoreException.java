package dev.ratelimit;

import org.jspecify.annotations.Nullable;

/** Broken: the store could not answer. An outage is never reported as a limit, and a limit never as an outage. */
public class RateLimitStoreException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** Says what was tried, and why it failed. */
    public RateLimitStoreException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}

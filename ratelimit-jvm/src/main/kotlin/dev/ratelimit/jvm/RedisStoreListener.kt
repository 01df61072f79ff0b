package dev.ratelimit.jvm

import dev.ratelimit.RateLimitStoreException
import java.time.Duration

/**
 * Told when a server of a [RedisStore] goes away and when it is back. Called on threads of the store, so it must be quick and must not
 * block. An exception that it throws is logged and harms nobody.
 */
public interface RedisStoreListener {
    /** The server (`host:port`) does not serve any more; told once for each outage. From now on the [FailurePolicy] decides. */
    public fun onOutage(
        server: String,
        cause: RateLimitStoreException,
    ) {
    }

    /** The server serves again. */
    public fun onRecovery(
        server: String,
        outage: Duration,
    ) {
    }
}

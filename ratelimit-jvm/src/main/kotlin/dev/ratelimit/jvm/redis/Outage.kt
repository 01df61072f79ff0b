package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.RedisStoreListener
import org.slf4j.LoggerFactory
import java.time.Duration

/**
 * Whether one server serves, told once when it stops and once when it does again: to the log and to the listener, by way of [making].
 */
internal class Outage(
    private val server: String,
    private val listener: RedisStoreListener?,
    private val making: Making,
) {
    @Volatile
    private var since: Long? = null

    @Volatile
    private var troubledAt = 0L

    @Volatile
    private var hasReconnected = false

    /** The server is away. */
    @Synchronized
    fun began(cause: RateLimitStoreException) {
        troubledAt = System.nanoTime()
        hasReconnected = false
        if (since != null) return
        since = troubledAt
        making.tell {
            log.warn("{}; its failure policy decides until it is back", cause.message)
            tell { it.onOutage(server, cause) }
        }
    }

    /** The server has come back. */
    @Synchronized
    fun ended() {
        val began = since ?: return
        since = null
        val time = Duration.ofNanos(System.nanoTime() - began)
        making.tell {
            log.info("Redis at {} is back after {}", server, time)
            tell { it.onRecovery(server, time) }
        }
    }

    /** There is a connection again; whether the server serves, its next answer tells. */
    fun reconnected() {
        hasReconnected = true
    }

    /** The server has answered; one that refuses some commands and not others is well only after a quiet time. */
    fun served() {
        if (since != null && (hasReconnected || System.nanoTime() - troubledAt > QUIET)) ended()
    }

    @Suppress("TooGenericExceptionCaught")
    private inline fun tell(event: (RedisStoreListener) -> Unit) {
        val listener = listener ?: return
        try {
            event(listener)
        } catch (e: Throwable) {
            log.warn("a listener of the Redis store failed", e)
        }
    }

    private companion object {
        const val QUIET = 5_000_000_000L
        val log = LoggerFactory.getLogger("dev.ratelimit.jvm.RedisStore")
    }
}

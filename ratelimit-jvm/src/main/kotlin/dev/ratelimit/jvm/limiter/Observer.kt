package dev.ratelimit.jvm.limiter

import dev.ratelimit.RateLimitListener
import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.RateLimiter
import org.slf4j.LoggerFactory
import java.time.Duration

/** Tells the listener, if there is one, and the log. Nothing that a listener throws leaves this class. */
internal class Observer(
    private val limiter: String,
    private val listener: RateLimitListener?,
) {
    /** Whether somebody wants to know how long a wait will be; finding that out costs a look at the store. */
    val watchesWaits: Boolean get() = listener != null || log.isDebugEnabled

    /** Whether anybody is to be told of [result]: grants are not logged. */
    fun watches(result: RateLimitResult): Boolean = listener != null || (!result.isAllowed && log.isDebugEnabled)

    fun waits(
        key: Any?,
        permits: Long,
        expected: Long,
    ) {
        log.debug("{}: {} permit(s) for key {} wait {} ns or more", limiter, permits, key, expected)
        tell { it.onWait(limiter, key, permits, Duration.ofNanos(expected)) }
    }

    fun granted(
        key: Any?,
        permits: Long,
        waited: Long,
    ) {
        if (listener != null) tell { it.onGrant(limiter, key, permits, Duration.ofNanos(waited)) }
    }

    fun refused(
        key: Any?,
        permits: Long,
        result: RateLimitResult,
    ) {
        if (log.isDebugEnabled) log.debug("{}: {} permit(s) for key {} {}", limiter, permits, key, result)
        if (listener != null) tell { it.onRefusal(limiter, key, permits, result) }
    }

    /** Tells of the [cause] that a question failed with, if it was the store's. */
    fun failed(
        key: Any?,
        cause: Throwable?,
    ) {
        if (cause is RateLimitStoreException) storeFailed(key, cause)
    }

    fun storeFailed(
        key: Any?,
        failure: RateLimitStoreException,
    ) {
        log.debug("{}: the store could not answer for key {}", limiter, key, failure)
        tell { it.onStoreFailure(limiter, key, failure) }
    }

    @Suppress("TooGenericExceptionCaught")
    private inline fun tell(event: (RateLimitListener) -> Unit) {
        val listener = listener ?: return
        try {
            event(listener)
        } catch (e: Throwable) {
            log.warn("{}: a rate limit listener failed; the call it was told of goes on", limiter, e)
        }
    }

    private companion object {
        val log = LoggerFactory.getLogger(RateLimiter::class.java)
    }
}

package dev.ratelimit.ktor.client

import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.acquire
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlin.time.Duration

/** One request's permit: taken before it is sent, given back if it never is. */
internal class Passage(
    private val limiter: RateLimiter,
) {
    private var isOpen = false

    @Volatile
    private var isUsed = false

    /** Waits for the permit, unless the caller is cancelled or [request] ends: a timeout outside of this plugin, or a closed client. */
    suspend fun open(
        request: Job,
        maxWait: Duration,
    ) = coroutineScope {
        val whenEnded = request.invokeOnCompletion { cancel("the request ended while it waited for a permit of '${limiter.name()}'", it) }
        try {
            limiter.acquire(maxWait = maxWait)
            isOpen = true
        } finally {
            whenEnded.dispose()
        }
    }

    /** The request is on its way. */
    fun use() {
        isUsed = true
    }

    fun close() {
        if (isOpen && !isUsed) limiter.settleAsync(1, 0)
    }
}

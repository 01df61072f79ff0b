package dev.ratelimit.ktor.client

import dev.ratelimit.RateLimiter
import io.ktor.client.request.HttpRequestBuilder
import io.ktor.util.AttributeKey
import io.ktor.utils.io.KtorDsl
import kotlin.time.Duration

/**
 * What [HttpRequestRateLimit] shall do otherwise for this request, and for those that follow from it (redirects, retries):
 *
 * ```kotlin
 * client.get(url) { rateLimit { maxWait = 5.seconds; permits = 3 } }
 * client.get(url) { rateLimit { enabled = false } }
 * ```
 *
 * Called twice, the settings of both rule; without the plugin it does nothing.
 */
public fun HttpRequestBuilder.rateLimit(configure: RequestRateLimit.() -> Unit) {
    attributes.computeIfAbsent(RequestRateLimit.KEY) { RequestRateLimit() }.configure()
}

/** The settings of one request; null for those of the client. Not thread-safe. */
@KtorDsl
public class RequestRateLimit internal constructor() {
    /** Whether the rules are about this request; false lets it pass at once, at no cost. */
    public var enabled: Boolean = true

    /**
     * The longest that this request waits; [HttpRequestRateLimitConfig.maxWait] otherwise.
     *
     * @throws IllegalArgumentException if set to a negative duration
     */
    public var maxWait: Duration? = null
        set(value) {
            require(value == null || !value.isNegative()) {
                "maxWait $value is negative; write for example 30.seconds, or Duration.ZERO not to wait at all"
            }
            field = value
        }

    /**
     * What this request costs; its [weight][HttpRequestRateLimitConfig.weight] otherwise.
     *
     * @throws IllegalArgumentException if set to less than 1
     */
    public var permits: Long? = null
        set(value) {
            require(value == null || value >= 1) { "permits $value is not positive; write 1 or more, or enabled = false to pay nothing" }
            field = value
        }

    /** A limiter to ask besides, of the same store: all grant, or none is charged. */
    public var limiter: RateLimiter? = null

    /** Whether robots.txt is asked first; the request for it is not. */
    internal var readsRobots = true

    internal companion object {
        val KEY: AttributeKey<RequestRateLimit> = AttributeKey("RequestRateLimit")

        fun of(request: HttpRequestBuilder): RequestRateLimit? = request.attributes.getOrNull(KEY)
    }
}

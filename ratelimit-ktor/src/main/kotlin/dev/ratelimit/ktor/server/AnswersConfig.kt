package dev.ratelimit.ktor.server

import io.ktor.server.application.ApplicationCall
import io.ktor.utils.io.KtorDsl

/**
 * What answers say of limits. Headers that a handler has set by itself are left alone: where it has said `X-RateLimit-Limit` or
 * `RateLimit`, the others of that family are not added either.
 */
@KtorDsl
public class AnswersConfig internal constructor() {
    /** Whether refusals have `Retry-After`: whole seconds, rounded up, never 0. */
    public var retryAfter: Boolean = true

    /**
     * Whether answers have `X-RateLimit-Limit`, `-Remaining`, `-Reset`, `-Scope` and `-Algorithm` of the limit with the fewest permits
     * left.
     */
    public var rateLimitHeaders: Boolean = true

    /** Whether answers have `RateLimit` and `RateLimit-Policy` as in draft-ietf-httpapi-ratelimit-headers-11. */
    public var standardHeaders: Boolean = true

    /** Whether `X-RateLimit-Reset` is seconds since 1970 instead of seconds from now. */
    public var resetAsEpoch: Boolean = false

    internal var handler: (suspend (call: ApplicationCall, refusal: RateLimitRefusal) -> Unit)? = null

    /**
     * Answers refused calls instead of problem details (RFC 9457) or plain text, whichever the client accepts; the headers are there all
     * the same. What [handler] does not answer is answered as usual.
     */
    public fun onRefused(handler: suspend (call: ApplicationCall, refusal: RateLimitRefusal) -> Unit) {
        this.handler = handler
    }
}

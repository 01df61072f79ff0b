package dev.ratelimit.ktor.server.rules

import dev.ratelimit.RateLimit
import dev.ratelimit.ktor.server.RateLimitTiers
import io.ktor.server.application.ApplicationCall

/** Where the key of a bucket comes from. */
internal sealed interface KeySource {
    data object Ip : KeySource

    data object User : KeySource

    data object ApiKey : KeySource

    data object Endpoint : KeySource

    data object Global : KeySource

    class By(
        val afterAuthentication: Boolean,
        val key: (ApplicationCall) -> Any?,
    ) : KeySource
}

/** When a limit is asked; each stage comes once in a call, or not at all. */
internal enum class Stage {
    /** Before routing. */
    ARRIVAL,

    /** The route is known, and nothing of it has run. */
    ROUTED,

    /** Before the route's handler: the principal is known, if there is one. */
    AUTHENTICATED,
}

/** Limits by one key, as they were written. */
internal class ScopeDraft(
    val name: String,
    val source: KeySource,
    val limits: List<RateLimit>,
    val tiers: RateLimitTiers?,
    val isSecret: Boolean,
)

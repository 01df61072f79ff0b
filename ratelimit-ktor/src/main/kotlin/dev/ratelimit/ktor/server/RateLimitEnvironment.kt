package dev.ratelimit.ktor.server

import dev.ratelimit.ktor.server.settings.nearest

/** Settings for a place where an application runs; see [RateLimitingConfig.environment]. */
public enum class RateLimitEnvironment {
    /** Limits are only tried out: nobody is refused. */
    DEVELOPMENT,

    /** Limits rule, and calls that have used 80 % of one are told so. */
    STAGING,

    /** Limits rule. */
    PRODUCTION,
    ;

    internal companion object {
        /** @throws IllegalArgumentException if there is no such environment */
        fun parse(text: String): RateLimitEnvironment {
            val found = entries.firstOrNull { it.name.equals(text.trim(), ignoreCase = true) }
            val names = entries.map { it.name.lowercase() }
            require(found != null) {
                "the environment '$text' is not known; " + (nearest(text, names)?.let { "did you mean '$it'?" } ?: "write one of $names")
            }
            return found
        }
    }
}

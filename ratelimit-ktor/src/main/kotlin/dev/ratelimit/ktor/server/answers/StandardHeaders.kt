package dev.ratelimit.ktor.server.answers

import dev.ratelimit.RateLimit
import dev.ratelimit.ktor.server.decision.Asked
import dev.ratelimit.ktor.server.decision.Group
import dev.ratelimit.ktor.server.decision.Standing

/** `RateLimit-Policy` and `RateLimit` as in draft-ietf-httpapi-ratelimit-headers-11: all policies, and where the tightest stands. */
internal object StandardHeaders {
    fun of(
        group: Group,
        standing: Standing,
    ): List<Pair<String, String>> {
        val names = names(group.asked)
        val result = standing.result
        val reset = secondsUpOrZero(if (result.isAllowed) result.resetAfterNanos() else result.retryAfterNanos())
        return listOf(
            "RateLimit-Policy" to group.asked.joinToString { "\"${names[it]}\"${parameters(it.policy.limit)}" },
            "RateLimit" to "\"${names[standing.asked]}\";r=${result.remaining()};t=$reset",
        )
    }

    /** Each name once: two rules may both have limits by address. */
    private fun names(asked: List<Asked>): Map<Asked, String> {
        val taken = HashMap<String, Int>()
        return asked.associateWith {
            val times = taken.merge(it.policy.name, 1, Int::plus) ?: 1
            if (times == 1) it.policy.name else "${it.policy.name}.$times"
        }
    }

    /** A quota for a window; windows are whole seconds there, and left out where they are not. */
    private fun parameters(limit: RateLimit): String {
        val window = if (limit.period().nano == 0) ";w=${limit.period().seconds}" else ""
        return ";q=${limit.permits()}$window"
    }
}

package dev.ratelimit.ktor.server.answers

import dev.ratelimit.ktor.server.decision.Asked
import dev.ratelimit.ktor.server.decision.Standing
import io.ktor.server.response.ResponseHeaders

/** `RateLimit-Policy` and `RateLimit` as in draft-ietf-httpapi-ratelimit-headers-11: all policies, and where the tightest stands. */
internal object StandardHeaders {
    private const val STATE = "RateLimit"
    private const val LENGTH = 32

    fun add(
        headers: ResponseHeaders,
        asked: List<Asked>,
        standing: Standing,
    ) {
        if (STATE in headers) return
        headers.add("RateLimit-Policy", policies(asked))
        headers.add(STATE, state(standing))
    }

    private fun policies(asked: List<Asked>) =
        buildString(LENGTH * asked.size) {
            for (i in asked.indices) {
                if (i > 0) append(", ")
                append(asked[i].item)
            }
        }

    private fun state(standing: Standing): String {
        val result = standing.result
        val reset = secondsUpOrZero(if (result.isAllowed) result.resetAfterNanos() else result.retryAfterNanos())
        return "\"${standing.asked.name}\";r=${result.remaining()};t=$reset"
    }
}

package dev.ratelimit.ktor.server.answers

import dev.ratelimit.ktor.server.decision.Standing
import io.ktor.server.response.ResponseHeaders
import java.time.Instant

/** The family that nobody has written down and everybody reads. To look for a header costs more than to add one, so one stands for all. */
internal object LegacyHeaders {
    private const val LIMIT = "X-RateLimit-Limit"

    /** @param now of the wall clock, if the reset is told as an instant */
    fun add(
        headers: ResponseHeaders,
        standing: Standing,
        now: Instant?,
    ) {
        if (LIMIT in headers) return
        val policy = standing.asked.policy
        val reset = secondsUpOrZero(standing.result.resetAfterNanos())
        headers.add(LIMIT, policy.burst)
        headers.add("X-RateLimit-Remaining", standing.result.remaining().toString())
        headers.add("X-RateLimit-Reset", (if (now == null) reset else now.plusSeconds(reset).epochSecond).toString())
        headers.add("X-RateLimit-Scope", standing.asked.scope.name)
        headers.add("X-RateLimit-Algorithm", policy.algorithm)
    }
}

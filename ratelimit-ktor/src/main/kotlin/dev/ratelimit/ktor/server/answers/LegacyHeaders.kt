package dev.ratelimit.ktor.server.answers

import dev.ratelimit.ktor.server.decision.Standing
import io.ktor.server.response.ResponseHeaders
import java.time.Instant

/** The family that nobody has written down and everybody reads. */
internal object LegacyHeaders {
    /** @param now of the wall clock, if the reset is told as an instant */
    fun add(
        headers: ResponseHeaders,
        standing: Standing,
        now: Instant?,
    ) {
        val policy = standing.asked.policy
        val reset = secondsUpOrZero(standing.result.resetAfterNanos())
        headers.own("X-RateLimit-Limit", policy.burst)
        headers.own("X-RateLimit-Remaining", standing.result.remaining().toString())
        headers.own("X-RateLimit-Reset", (if (now == null) reset else now.plusSeconds(reset).epochSecond).toString())
        headers.own("X-RateLimit-Scope", standing.asked.scope.name)
        headers.own("X-RateLimit-Algorithm", policy.algorithm)
    }
}

package dev.ratelimit.ktor.server.answers

import dev.ratelimit.ktor.server.decision.Standing
import java.time.Instant

/** The family that nobody has written down and everybody reads. */
internal object LegacyHeaders {
    /** @param now of the wall clock, if the reset is told as an instant */
    fun of(
        standing: Standing,
        now: Instant?,
    ): List<Pair<String, String>> {
        val result = standing.result
        val limit = result.limit()
        val reset = secondsUpOrZero(result.resetAfterNanos())
        return listOf(
            "X-RateLimit-Limit" to limit.burst().toString(),
            "X-RateLimit-Remaining" to result.remaining().toString(),
            "X-RateLimit-Reset" to (if (now == null) reset else now.plusSeconds(reset).epochSecond).toString(),
            "X-RateLimit-Scope" to standing.asked.scope.name,
            "X-RateLimit-Algorithm" to
                limit
                    .algorithm()
                    .name
                    .lowercase()
                    .replace('_', '-'),
        )
    }
}

package dev.ratelimit.ktor.server.monitoring

import dev.ratelimit.ktor.server.RateLimitCounts
import kotlin.time.Duration.Companion.nanoseconds

/** Numbers about the decisions of some time: how often each outcome, then [TIME] and [LONGEST]. Not thread-safe. */
internal class Figures {
    private val numbers = LongArray(SIZE)

    /** Adds to a number, or raises the one that is a maximum. */
    fun add(
        place: Int,
        number: Long,
    ) {
        numbers[place] = if (place == LONGEST) maxOf(numbers[place], number) else numbers[place] + number
    }

    operator fun plusAssign(other: Figures) = other.forEach(::add)

    /** Those that are not zero. */
    inline fun forEach(action: (place: Int, number: Long) -> Unit) {
        for (place in 0 until SIZE) if (numbers[place] != 0L) action(place, numbers[place])
    }

    fun counts(): RateLimitCounts =
        RateLimitCounts(
            allowed = of(Outcome.ALLOWED),
            denied = of(Outcome.DENIED),
            shadowDenied = of(Outcome.SHADOW_DENIED),
            bypassed = of(Outcome.BYPASSED),
            blocked = of(Outcome.BLOCKED),
            failedOpen = of(Outcome.FAILED_OPEN),
            failedClosed = of(Outcome.FAILED_CLOSED),
            decisionTime = numbers[TIME].nanoseconds,
            longestDecision = numbers[LONGEST].nanoseconds,
        )

    private fun of(outcome: Outcome) = numbers[outcome.ordinal]

    companion object {
        /** What all decisions took together, in nanoseconds. */
        val TIME = Outcome.entries.size

        /** What the longest of them took. */
        val LONGEST = TIME + 1
        val SIZE = LONGEST + 1
    }
}

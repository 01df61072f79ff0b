package dev.ratelimit.benchmarks

import dev.ratelimit.RateLimit
import java.time.Duration

/** What every call of a benchmark is answered: yes, by a limit far beyond any benchmark's rate; or no, by one long exhausted. */
enum class Answer(
    internal val permits: Long,
    internal val period: Duration,
) {
    ALLOWED(1_000_000_000, Duration.ofSeconds(1)),
    DENIED(1, Duration.ofDays(1)),
    ;

    internal val limit: RateLimit get() = RateLimit.tokenBucket(permits, period)

    internal fun <T> of(make: (Long, Duration) -> T): T = make(permits, period)

    /** Brings [ask] to the point from which on it gives this answer, and makes sure that it does. */
    internal fun settle(ask: () -> Boolean) {
        if (this == DENIED) ask()
        verify(ask)
    }

    /** Fails unless [ask] gives this answer, so that no benchmark measures something else than it says. */
    internal fun verify(ask: () -> Boolean) = repeat(ENOUGH) { check(ask() == (this == ALLOWED)) { "the answer is not $this" } }

    private companion object {
        const val ENOUGH = 100
    }
}

package dev.ratelimit.jvm.algorithm

import dev.ratelimit.RateLimit
import io.kotest.assertions.withClue
import io.kotest.matchers.shouldBe

/** One bucket, played by hand: calls at instants of the test's choice. */
internal class Played(
    val limit: RateLimit,
    start: Long = 0,
    origin: Long = 0,
) {
    private val meter = Meter.of(limit, origin)
    private var state = meter.fresh(start)

    fun take(
        now: Long,
        permits: Long = 1,
    ): Boolean {
        val admitted = meter.admits(state, now, permits)
        if (admitted) state = meter.add(state, now, permits)
        return admitted
    }

    fun wait(
        now: Long,
        permits: Long = 1,
        ahead: Long = 0,
    ) = meter.waitFor(state, now, permits, ahead)

    fun remaining(now: Long) = meter.remaining(state, now)

    fun resetAfter(now: Long) = meter.resetAfter(state, now)

    fun debit(
        now: Long,
        permits: Long,
    ) {
        state = meter.add(state, now, permits)
    }

    fun giveBack(
        now: Long,
        permits: Long,
    ) = meter.giveBack(state, now, permits)

    /** Denied one nanosecond before [instant], with the wait up to it, and granted at it. */
    fun grantsFirstAt(
        instant: Long,
        permits: Long = 1,
    ) = withClue("$limit: $permits permit(s) at $instant") {
        val before = state.copyOf()
        take(instant - 1, permits) shouldBe false
        wait(instant - 1, permits) shouldBe 1
        state shouldBe before
        take(instant, permits) shouldBe true
    }
}

internal const val SECOND = 1_000_000_000L
internal const val DAY = 86_400 * SECOND
internal const val YEAR = 365 * DAY

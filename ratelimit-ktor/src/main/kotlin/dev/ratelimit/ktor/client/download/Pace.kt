package dev.ratelimit.ktor.client.download

import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeSource

/** Calls [action] ten times a second at most, but when it is told that it matters. */
internal class Pace(
    private val time: TimeSource = TimeSource.Monotonic,
    private val action: () -> Unit,
) {
    private var next = time.markNow()

    fun now() {
        next = time.markNow() + INTERVAL
        action()
    }

    fun maybe() {
        if (next.hasPassedNow()) now()
    }

    private companion object {
        val INTERVAL = 100.milliseconds
    }
}

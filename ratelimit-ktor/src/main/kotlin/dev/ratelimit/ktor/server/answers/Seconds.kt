package dev.ratelimit.ktor.server.answers

import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/** Whole seconds to wait: never too few, so never 0. */
internal fun secondsUp(wait: Duration): Long = secondsUpOrZero(wait).coerceAtLeast(1)

/** Whole seconds until something is so. */
internal fun secondsUpOrZero(wait: Duration): Long {
    val whole = wait.inWholeSeconds
    return if (wait > whole.seconds) whole + 1 else whole
}

internal fun secondsUpOrZero(nanos: Long): Long = secondsUpOrZero(nanos.nanoseconds)

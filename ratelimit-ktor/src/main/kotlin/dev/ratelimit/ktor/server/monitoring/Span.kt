package dev.ratelimit.ktor.server.monitoring

import java.time.Clock
import java.time.Instant
import kotlin.time.Duration

internal const val MINUTES_OF_HOUR = 60L
private const val MILLIS_OF_MINUTE = 60_000L

/** Of how many minutes back rules are known by the minute; from there on by the hour. */
internal const val MINUTES_OF_RULES = 6 * MINUTES_OF_HOUR

/** The number of the minute that it is. */
internal fun Clock.minute(): Long = Math.floorDiv(millis(), MILLIS_OF_MINUTE)

internal fun hourOf(minute: Long): Long = Math.floorDiv(minute, MINUTES_OF_HOUR)

/**
 * A [window] that ends now, in minutes and hours since the epoch. It begins with a whole minute, or with a whole hour where rules are known
 * by the hour only. What begins where is always the same for totals and rules.
 *
 * @property from the first minute
 * @property until the minute that it is
 */
internal class Span private constructor(
    val window: Duration,
    val from: Long,
    val to: Instant,
    val until: Long,
) {
    private val firstHour = hourOf(from + MINUTES_OF_HOUR - 1)

    val start: Instant get() = Instant.ofEpochMilli(from * MILLIS_OF_MINUTE)

    val minutes: LongRange get() = from..until

    /** The hours that begin in the window. */
    val hoursOfRules: LongRange get() = firstHour..hourOf(until)

    /** The minutes before those. */
    val minutesOfRules: LongRange get() = from..minOf(firstHour * MINUTES_OF_HOUR - 1, until)

    /** The whole hours of the window whose lists of what was denied most are there. Those lists know no edges but these. */
    val hoursOfDenials: LongRange get() = if (isShort) LongRange.EMPTY else firstHour until openHour

    /** The minutes after those. */
    val minutesOfDenials: LongRange get() = if (isShort) minutes else openHour * MINUTES_OF_HOUR..until

    private val isShort: Boolean get() = until - from <= MINUTES_OF_HOUR

    /** An hour's list comes a little after it. */
    private val openHour: Long get() = hourOf(until - MINUTES_TO_TELL)

    companion object {
        private const val MINUTES_TO_TELL = 2L

        /** As far back as [minutesOfDenials] go. */
        const val MINUTES_OF_DENIALS = MINUTES_OF_HOUR + MINUTES_TO_TELL

        /**
         * @param minutesSince from which minute on rules are known by the minute
         * @param hoursSince from which hour on they are known at all
         */
        fun of(
            window: Duration,
            retention: Duration,
            clock: Clock,
            minutesSince: Long = 0,
            hoursSince: Long = 0,
        ): Span {
            require(window.isPositive()) { "the window $window is not positive; write for example 1.hours" }
            val now = clock.instant()
            val until = Math.floorDiv(now.toEpochMilli(), MILLIS_OF_MINUTE)
            val asked = Math.floorDiv(now.toEpochMilli() - minOf(window, retention).inWholeMilliseconds, MILLIS_OF_MINUTE)
            val isByMinute = asked >= maxOf(until - MINUTES_OF_RULES, minutesSince)
            val from = if (isByMinute) asked else hourOf(asked) * MINUTES_OF_HOUR
            return Span(window, maxOf(from, hoursSince * MINUTES_OF_HOUR).coerceAtMost(until), now, until)
        }
    }
}

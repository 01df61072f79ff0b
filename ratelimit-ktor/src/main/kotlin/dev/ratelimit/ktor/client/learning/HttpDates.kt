package dev.ratelimit.ktor.client.learning

import java.time.Instant
import java.time.ZoneOffset
import java.time.format.DateTimeFormatter
import java.time.format.DateTimeFormatterBuilder
import java.time.format.DateTimeParseException
import java.time.temporal.ChronoField
import java.util.Locale

/** The three forms of dates in HTTP (RFC 9110, 5.6.7). */
internal object HttpDates {
    private const val CENTURY_AHEAD = 49L

    private val asctime = DateTimeFormatter.ofPattern("EEE MMM ppd HH:mm:ss yyyy", Locale.ENGLISH).withZone(ZoneOffset.UTC)

    /** [now] tells the century of a year of two digits, which is at most 50 years ahead. */
    fun parse(
        text: String,
        now: Instant,
    ): Instant? {
        // A date has a colon; most of what is asked for is a number.
        if (':' !in text) return null
        val date = text.trim()
        return read(DateTimeFormatter.RFC_1123_DATE_TIME, date) ?: read(rfc850(now), date) ?: read(asctime, date)
    }

    private fun read(
        form: DateTimeFormatter,
        date: String,
    ): Instant? =
        try {
            form.parse(date, Instant::from)
        } catch (ignored: DateTimeParseException) {
            null
        }

    private fun rfc850(now: Instant): DateTimeFormatter =
        DateTimeFormatterBuilder()
            .parseCaseInsensitive()
            .appendPattern("EEEE, dd-MMM-")
            .appendValueReduced(ChronoField.YEAR, 2, 2, now.atOffset(ZoneOffset.UTC).minusYears(CENTURY_AHEAD).year)
            .appendPattern(" HH:mm:ss 'GMT'")
            .toFormatter(Locale.ENGLISH)
            .withZone(ZoneOffset.UTC)
}

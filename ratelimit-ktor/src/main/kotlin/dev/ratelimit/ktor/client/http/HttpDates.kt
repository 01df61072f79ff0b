package dev.ratelimit.ktor.client.http

import io.ktor.http.Headers
import io.ktor.http.HttpHeaders
import java.time.DateTimeException
import java.time.Instant
import java.time.LocalDateTime
import java.time.ZoneOffset
import java.time.format.DateTimeFormatter
import java.time.format.DateTimeFormatterBuilder
import java.time.temporal.ChronoField
import java.util.Locale

/** HTTP's three forms of a date (RFC 9110, 5.6.7). The day of the week adds nothing and is not looked at. */
internal object HttpDates {
    private val DAY_OF_WEEK = Regex("^[A-Za-z]+,? +")
    private const val CENTURY_AHEAD = 49L
    private val FIXED = listOf("d MMM uuuu HH:mm:ss 'GMT'", "MMM ppd HH:mm:ss uuuu").map { DateTimeFormatter.ofPattern(it, Locale.ROOT) }

    /** Null if [text] is no such date. [now] tells the century of a year of two digits, which is at most 50 years ahead. */
    fun parse(
        text: String,
        now: Instant,
    ): Instant? {
        // A date has a colon; most of what is asked for is a number.
        if (':' !in text) return null
        val date = text.trim().replace(DAY_OF_WEEK, "")
        return FIXED.firstNotNullOfOrNull { parsed(date, it) } ?: parsed(date, ofTwoDigits(now))
    }

    /** When an answer was made, by its server's clock; by the one here, [now], if it does not say so. */
    fun dateOf(
        headers: Headers,
        now: Instant,
    ): Instant = headers[HttpHeaders.Date]?.let { parse(it, now) } ?: now

    private fun ofTwoDigits(now: Instant): DateTimeFormatter =
        DateTimeFormatterBuilder()
            .appendPattern("d-MMM-")
            .appendValueReduced(ChronoField.YEAR, 2, 2, now.atOffset(ZoneOffset.UTC).minusYears(CENTURY_AHEAD).year)
            .appendPattern(" HH:mm:ss 'GMT'")
            .toFormatter(Locale.ROOT)

    private fun parsed(
        text: String,
        form: DateTimeFormatter,
    ): Instant? =
        try {
            LocalDateTime.parse(text, form).toInstant(ZoneOffset.UTC)
        } catch (ignored: DateTimeException) {
            null
        }
}

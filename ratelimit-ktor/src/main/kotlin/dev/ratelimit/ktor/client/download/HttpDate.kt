package dev.ratelimit.ktor.client.download

import java.time.DateTimeException
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.ZoneOffset
import java.time.format.DateTimeFormatter
import java.time.format.DateTimeFormatterBuilder
import java.time.temporal.ChronoField
import java.util.Locale

/** HTTP's three forms of a date (RFC 9110, 5.6.7). The day of the week adds nothing and is not looked at. */
internal object HttpDate {
    private val DAY_OF_WEEK = Regex("^[A-Za-z]+,? +")
    private const val CENTURY_BEGINS_BEFORE = 50L

    /** Milliseconds since the epoch; null if [text] is no such date. */
    fun parse(text: String): Long? {
        val date = text.trim().replace(DAY_OF_WEEK, "")
        return forms().firstNotNullOfOrNull { parsed(date, it) }?.toInstant(ZoneOffset.UTC)?.toEpochMilli()
    }

    /** Two digits of a year mean the one that is at most 50 years ahead. */
    private fun forms(): List<DateTimeFormatter> {
        val first = LocalDate.now(ZoneOffset.UTC).minusYears(CENTURY_BEGINS_BEFORE - 1)
        val ofTwoDigits =
            DateTimeFormatterBuilder()
                .appendPattern("d-MMM-")
                .appendValueReduced(ChronoField.YEAR, 2, 2, first)
                .appendPattern(" HH:mm:ss 'GMT'")
                .toFormatter(Locale.ROOT)
        return FIXED + ofTwoDigits
    }

    private fun parsed(
        text: String,
        form: DateTimeFormatter,
    ): LocalDateTime? =
        try {
            LocalDateTime.parse(text, form)
        } catch (ignored: DateTimeException) {
            null
        }

    private val FIXED = listOf("d MMM uuuu HH:mm:ss 'GMT'", "MMM ppd HH:mm:ss uuuu").map { DateTimeFormatter.ofPattern(it, Locale.ROOT) }
}

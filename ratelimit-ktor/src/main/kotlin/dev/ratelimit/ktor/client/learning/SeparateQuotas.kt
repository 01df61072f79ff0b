package dev.ratelimit.ktor.client.learning

import dev.ratelimit.ktor.client.http.HttpDates
import dev.ratelimit.ktor.client.http.since
import io.ktor.http.Headers
import java.time.Instant
import java.time.format.DateTimeParseException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** A header for each number: `X-RateLimit-Remaining: 0` with `X-RateLimit-Reset: 1767225600`, and what is like it. */
internal object SeparateQuotas {
    /** A family of headers: how its names begin, and what they end in. */
    private class Spelling(
        val prefix: String,
        val suffix: String = "",
    )

    private val SPELLINGS =
        listOf(
            Spelling("RateLimit-"),
            Spelling("X-RateLimit-"),
            Spelling("X-Rate-Limit-"),
            Spelling("X-RateLimit-", "-Requests"),
            Spelling("X-RateLimit-", "-Tokens"),
        )

    fun read(
        headers: Headers,
        now: Instant,
    ): List<Quota> = SPELLINGS.mapNotNull { quota(it, headers, now) }

    private fun quota(
        spelling: Spelling,
        headers: Headers,
        now: Instant,
    ): Quota? {
        fun named(what: String) = headers[spelling.prefix + what + spelling.suffix]?.trim()
        val remaining = named("Remaining")?.let(::count) ?: return null
        val resetAfter =
            named("Reset-After")?.let(::decimal)?.let(::inSeconds)
                ?: named("Reset-Ms")?.let(::decimal)?.let(::inMillis)
                ?: named("Reset")?.let { resetAfter(it, now) }
                ?: return null
        return Quota(
            named("Limit")?.substringBefore(',')?.let(::count),
            remaining,
            resetAfter,
            spelling.prefix + "Remaining" + spelling.suffix,
        )
    }

    /** Nothing but digits, as headers of limits have them; one that is out of range is greater than all that counts. */
    private fun count(text: String): Long? {
        val digits = text.substringBefore(';').trim()
        if (digits.isEmpty() || !digits.all { it in '0'..'9' }) return null
        return digits.toLongOrNull() ?: Long.MAX_VALUE
    }

    private fun decimal(text: String): Double? = if (DECIMAL.matches(text)) text.toDouble() else null

    private fun inSeconds(number: Double): Duration = number.seconds

    private fun inMillis(number: Double): Duration = number.milliseconds

    /** What nobody says is whether a number is of seconds or milliseconds, from now or from 1970; its size tells. */
    private fun resetAfter(
        text: String,
        now: Instant,
    ): Duration? {
        val number = decimal(text) ?: return (date(text, now) ?: return duration(text)).since(now)
        return when {
            number >= EPOCH_MILLIS -> (number.milliseconds - now.toEpochMilli().milliseconds)
            number >= EPOCH_SECONDS -> (number.seconds - now.toEpochMilli().milliseconds)
            number > MOST_SECONDS -> number.milliseconds
            else -> number.seconds
        }
    }

    private fun date(
        text: String,
        now: Instant,
    ): Instant? =
        HttpDates.parse(text, now)
            ?: try {
                Instant.parse(text)
            } catch (ignored: DateTimeParseException) {
                null
            }

    /** `20ms`, `1.5s`, `6m0s`. */
    private fun duration(text: String): Duration? =
        Duration.parseOrNull(UNIT_END.replace(text) { it.value + " " })?.takeIf { it.isPositive() && it.isFinite() }

    private val DECIMAL = Regex("[0-9]{1,18}(\\.[0-9]{1,9})?")
    private val UNIT_END = Regex("(ms|us|ns|[dhms])(?=[0-9])")

    /** September 2001, and later. */
    private const val EPOCH_SECONDS = 1e9
    private const val EPOCH_MILLIS = 1e11

    /** A quota that takes more than a day to reset is told by a date. */
    private const val MOST_SECONDS = 86_400.0
}

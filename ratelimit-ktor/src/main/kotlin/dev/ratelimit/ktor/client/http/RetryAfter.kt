package dev.ratelimit.ktor.client.http

import io.ktor.http.Headers
import io.ktor.http.HttpHeaders
import java.time.Instant
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toKotlinDuration

/** Retry-After (RFC 9110, 10.2.3): whole seconds, or a date, of which the server's own clock says how far it is. */
internal object RetryAfter {
    /** Null if the header is missing or makes no sense; zero if nothing is left to wait. */
    fun of(
        headers: Headers,
        now: Instant = Instant.now(),
    ): Duration? = headers[HttpHeaders.RetryAfter]?.let { read(it, HttpDates.dateOf(headers, now)) }

    private fun read(
        text: String,
        now: Instant,
    ): Duration? {
        val value = text.trim()
        if (value.isNotEmpty() && value.all { it in '0'..'9' }) return value.toLongOrNull()?.seconds ?: Duration.INFINITE
        return HttpDates.parse(value, now)?.since(now)?.coerceAtLeast(Duration.ZERO)
    }
}

/** The time from [now] until this instant. */
internal fun Instant.since(now: Instant): Duration = java.time.Duration.between(now, this).toKotlinDuration()

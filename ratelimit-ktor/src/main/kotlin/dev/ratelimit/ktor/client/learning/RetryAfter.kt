package dev.ratelimit.ktor.client.learning

import java.time.Instant
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toKotlinDuration

/** Retry-After: whole seconds, or a date. */
internal object RetryAfter {
    /** Null if [text] is neither, or nothing is left to wait. */
    fun read(
        text: String?,
        now: Instant,
    ): Duration? {
        val value = text?.trim().orEmpty()
        val wait = if (value.isNotEmpty() && value.all { it in '0'..'9' }) wholeSeconds(value) else HttpDates.parse(value, now)?.since(now)
        return wait?.takeIf { it.isPositive() }
    }

    private fun wholeSeconds(digits: String): Duration = digits.toLongOrNull()?.seconds ?: Duration.INFINITE
}

/** The time from [now] until this instant. */
internal fun Instant.since(now: Instant): Duration = java.time.Duration.between(now, this).toKotlinDuration()

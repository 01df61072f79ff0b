package dev.ratelimit.ktor.client.learning

import io.ktor.http.Headers
import java.time.Instant
import kotlin.time.Duration

/** What is left of a limit of the server's until it starts anew; null for what it did not tell. */
internal class Quota(
    val limit: Long?,
    val remaining: Long,
    val resetAfter: Duration,
    val source: String,
) {
    /** Where nothing is left, to stay away until the reset; where little is, to spread it over the time until then; else nothing. */
    fun hint(): Hint? =
        when {
            !resetAfter.isPositive() -> null
            remaining == 0L -> Hint(resetAfter, source, turnsAway = true)
            isScarce -> Hint(resetAfter / remaining.toDouble(), source, turnsAway = false)
            else -> null
        }

    private val isScarce get() = if (limit == null) remaining < FEW else remaining < limit / SCARCE

    private companion object {
        /** A tenth of a limit is little of it. */
        const val SCARCE = 10
        const val FEW = 10
    }
}

/**
 * Quotas in the spellings that servers use: `RateLimit` with `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11), the dictionary
 * and the three headers of its earlier versions, and `X-RateLimit-*` in its many forms.
 */
internal object QuotaReader {
    fun mayTell(header: String): Boolean =
        header.startsWith("RateLimit", ignoreCase = true) || header.startsWith("X-Rate", ignoreCase = true)

    fun read(
        headers: Headers,
        now: Instant,
    ): List<Quota> = StandardQuotas.read(headers) + SeparateQuotas.read(headers, now)
}

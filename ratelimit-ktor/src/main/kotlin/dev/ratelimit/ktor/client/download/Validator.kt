package dev.ratelimit.ktor.client.download

import dev.ratelimit.ktor.client.http.HttpDates
import dev.ratelimit.ktor.client.http.since
import io.ktor.http.Headers
import io.ktor.http.HttpHeaders
import java.time.Instant
import kotlin.time.Duration.Companion.seconds

/** Tells whether the file on the server is still the same, by the rules of RFC 9110, 8.8 and 13.1.5. */
internal object Validator {
    private val STRONG = Regex("\"[\\x21\\x23-\\x7e]*\"")

    /**
     * Until then, a file that was changed twice may have one date, or the server's clocks may differ. 8.8.2.2 asks for a second at least;
     * RFC 7232 had a minute.
     */
    private val SETTLED = 60.seconds

    /**
     * What If-Range may say about the answer with these headers: its strong ETag; without any ETag, its Last-Modified if that is long
     * enough ago by the server's own clock; otherwise null, for then nothing shows that two answers are of the same file.
     */
    fun of(headers: Headers): String? {
        val tag = headers[HttpHeaders.ETag]?.trim()
        if (tag != null) return tag.takeIf(STRONG::matches)
        val modified = headers[HttpHeaders.LastModified]?.trim() ?: return null
        val now = Instant.now()
        val changedAt = HttpDates.parse(modified, now) ?: return null
        val sentAt = headers[HttpHeaders.Date]?.let { HttpDates.parse(it, now) } ?: return null
        return modified.takeIf { sentAt.since(changedAt) >= SETTLED }
    }

    /** Whether an answer with these headers is of another file than the one of [validator]; servers exist that ignore If-Range. */
    fun contradicts(
        headers: Headers,
        validator: String,
    ): Boolean {
        val field = if (validator.startsWith('"')) HttpHeaders.ETag else HttpHeaders.LastModified
        val told = headers[field]?.trim() ?: return false
        return told != validator
    }
}

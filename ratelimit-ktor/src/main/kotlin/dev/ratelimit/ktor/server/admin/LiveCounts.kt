package dev.ratelimit.ktor.server.admin

import dev.ratelimit.ktor.server.RateLimitCounts
import dev.ratelimit.ktor.server.RateLimitingControl
import io.ktor.http.ContentType
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.ApplicationCall
import io.ktor.server.http.content.suppressCompression
import io.ktor.server.response.header
import io.ktor.server.response.respondBytesWriter
import io.ktor.utils.io.ByteWriteChannel
import io.ktor.utils.io.writeStringUtf8
import kotlinx.coroutines.delay
import kotlinx.io.IOException
import kotlinx.serialization.json.JsonObject
import java.time.Instant
import java.util.UUID
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.seconds

/**
 * What this instance counts, now and on: streams of server-sent events, one a second, that its readers can also ask for one at a time.
 *
 * A stream ends by itself after [events], and its reader comes again, so that it is asked anew whether it may.
 */
internal class LiveCounts(
    private val control: RateLimitingControl,
    private val maxStreams: Int,
    private val events: Int = EVENTS,
) {
    private val instance = "${UUID.randomUUID()}"
    private val open = AtomicInteger()

    /** How many streams there are. */
    val streams: Int get() = open.get()

    fun now(): JsonObject = countsNowJson(instance, Instant.now(), control.counts())

    suspend fun stream(call: ApplicationCall) {
        if (open.incrementAndGet() > maxStreams) {
            open.decrementAndGet()
            throw Problem.retryLater(
                HttpStatusCode.ServiceUnavailable,
                TimeUnit.SECONDS.toNanos(RETRY_SECONDS),
                "there are $maxStreams streams, and no more at once; close one, raise maxStreams, or ask metrics/real-time instead",
            )
        }
        try {
            call.suppressCompression()
            // Of nginx: what is sent is to be passed on at once.
            call.response.header("X-Accel-Buffering", "no")
            call.response.header(HttpHeaders.CacheControl, "no-store")
            call.respondBytesWriter(ContentType.Text.EventStream) { untilGone { write(this) } }
        } finally {
            open.decrementAndGet()
        }
    }

    /** The comment tells a reader, and all proxies on the way, that there is an answer; each event is the sign of life of its second. */
    private suspend fun write(channel: ByteWriteChannel) {
        channel.writeStringUtf8(": counts of this instance since it started\nretry: $RETRY_MILLIS\n\n")
        channel.flush()
        var told = emptyMap<String, RateLimitCounts>()
        repeat(events) {
            val counts = control.counts()
            val news = counts.filter { (rule, its) -> rule.isEmpty() || told[rule]?.requests != its.requests }
            channel.writeStringUtf8("data: ${countsNowJson(instance, Instant.now(), news)}\n\n")
            channel.flush()
            told = counts
            delay(1.seconds)
        }
    }

    /** A reader that leaves is no failure. */
    private suspend fun untilGone(write: suspend () -> Unit) {
        try {
            write()
        } catch (_: IOException) {
            return
        }
    }

    private companion object {
        /** Of a quarter of an hour. */
        const val EVENTS = 900
        const val RETRY_MILLIS = 2_000
        const val RETRY_SECONDS = 30L
    }
}

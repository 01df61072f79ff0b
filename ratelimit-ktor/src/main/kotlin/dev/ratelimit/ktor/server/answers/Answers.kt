package dev.ratelimit.ktor.server.answers

import dev.ratelimit.ktor.server.AnswersConfig
import dev.ratelimit.ktor.server.RateLimitRefusal
import dev.ratelimit.ktor.server.RateLimitRefusal.Reason
import dev.ratelimit.ktor.server.decision.Visit
import io.ktor.http.BadContentTypeFormatException
import io.ktor.http.ContentType
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpMethod
import io.ktor.http.HttpStatusCode
import io.ktor.http.withCharset
import io.ktor.server.application.ApplicationCall
import io.ktor.server.request.acceptItems
import io.ktor.server.request.httpMethod
import io.ktor.server.response.respond
import io.ktor.server.response.respondText
import java.time.Instant

/** What a refused call is answered, and what headers say of limits. */
internal class Answers(
    config: AnswersConfig,
    private val wallClock: () -> Instant,
) {
    private val retryAfter = config.retryAfter
    private val rateLimitHeaders = config.rateLimitHeaders
    private val standardHeaders = config.standardHeaders
    private val resetAsEpoch = config.resetAsEpoch
    private val handler = config.handler

    suspend fun refuse(
        call: ApplicationCall,
        refusal: RateLimitRefusal,
    ) {
        val status = status(refusal)
        val wait = refusal.retryAfter
        if (retryAfter && wait != null) call.response.headers.addIfAbsent(HttpHeaders.RetryAfter, secondsUp(wait).toString())
        handler?.invoke(call, refusal)
        if (call.response.isCommitted) return
        // What is refused is refused to this client, and for a while.
        call.response.headers.addIfAbsent(HttpHeaders.CacheControl, "no-store")
        if (call.request.httpMethod == HttpMethod.Head) {
            call.respond(status)
        } else if (call.wantsText()) {
            call.respondText(text(refusal), ContentType.Text.Plain.withCharset(Charsets.UTF_8), status)
        } else {
            call.respondText(Problem.of(refusal, status).toString(), ContentType.Application.ProblemJson, status)
        }
    }

    /** Just before the answer is sent, when all limits have been asked. */
    fun addHeaders(visit: Visit) {
        val headers = visit.call.response.headers
        if (visit.isNear) headers.addIfAbsent("X-RateLimit-Warning", "near the limit")
        if (!rateLimitHeaders && !standardHeaders) return
        val group = visit.groups.firstOrNull { !it.isShadow } ?: return
        val standing = group.standing ?: return
        if (rateLimitHeaders) LegacyHeaders.add(headers, standing, if (resetAsEpoch) wallClock() else null)
        if (standardHeaders) StandardHeaders.add(headers, group.asked, standing)
    }

    private fun status(refusal: RateLimitRefusal) =
        when (refusal.reason) {
            Reason.LIMIT, Reason.TOO_HEAVY -> HttpStatusCode.TooManyRequests
            Reason.OUTAGE -> HttpStatusCode.ServiceUnavailable
            Reason.BLOCKED -> HttpStatusCode.Forbidden
        }

    private fun text(refusal: RateLimitRefusal): String {
        val wait = refusal.retryAfter ?: return refusal.detail
        return "${refusal.detail} Try again in ${secondsUp(wait)} s."
    }

    /** What cannot be read asks for nothing. */
    private fun ApplicationCall.wantsText(): Boolean =
        try {
            request
                .acceptItems()
                .asSequence()
                .map { it.value.lowercase() }
                .firstOrNull { it.startsWith("text/") || it in ANYTHING || it.endsWith("json") }
                ?.startsWith("text/") == true
        } catch (_: BadContentTypeFormatException) {
            false
        }

    private companion object {
        val ANYTHING = setOf("*/*", "application/*")
    }
}

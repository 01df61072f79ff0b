package dev.ratelimit.ktor.server.answers

import dev.ratelimit.ktor.server.AnswersConfig
import dev.ratelimit.ktor.server.RateLimitRefusal
import dev.ratelimit.ktor.server.RateLimitRefusal.Reason
import dev.ratelimit.ktor.server.decision.Reporter
import dev.ratelimit.ktor.server.decision.Visit
import io.ktor.http.ContentType
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpStatusCode
import io.ktor.http.withCharset
import io.ktor.server.application.ApplicationCall
import io.ktor.server.request.acceptItems
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
        if (retryAfter && wait != null) call.setHeader(HttpHeaders.RetryAfter, secondsUp(wait).toString())
        handler?.invoke(call, refusal)
        if (call.response.isCommitted) return
        // What is refused is refused to this client, and for a while.
        call.setHeader(HttpHeaders.CacheControl, "no-store")
        if (call.wantsText()) {
            call.respondText(text(refusal), ContentType.Text.Plain.withCharset(Charsets.UTF_8), status)
        } else {
            call.respondText(Problem.of(refusal, status).toString(), ContentType.Application.ProblemJson, status)
        }
    }

    /** Just before the answer is sent, when all limits have been asked. */
    fun addHeaders(visit: Visit) {
        if (!rateLimitHeaders && !standardHeaders) return
        val group = visit.groups.firstOrNull { !it.isShadow } ?: return
        val standing = group.standing ?: return
        val call = visit.call
        val now = if (resetAsEpoch) wallClock() else null
        if (rateLimitHeaders) LegacyHeaders.of(standing, now).forEach { (name, value) -> call.setHeader(name, value) }
        if (standardHeaders) StandardHeaders.of(group, standing).forEach { (name, value) -> call.setHeader(name, value) }
        if (call.attributes.contains(Reporter.nearKey)) call.setHeader("X-RateLimit-Warning", "near the limit")
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

    private fun ApplicationCall.wantsText(): Boolean =
        request
            .acceptItems()
            .asSequence()
            .map { it.value.lowercase() }
            .firstOrNull { it.startsWith("text/") || it in ANYTHING || it.endsWith("json") }
            ?.startsWith("text/") == true

    /** What a handler has said by itself stays. */
    private fun ApplicationCall.setHeader(
        name: String,
        value: String,
    ) {
        if (response.headers[name] == null) response.headers.append(name, value)
    }

    private companion object {
        val ANYTHING = setOf("*/*", "application/*")
    }
}

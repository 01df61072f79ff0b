package dev.ratelimit.ktor.server.answers

import dev.ratelimit.ktor.server.RateLimitRefusal
import dev.ratelimit.ktor.server.RateLimitRefusal.Reason
import io.ktor.http.HttpStatusCode
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.add
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonArray

/** Problem details (RFC 9457), with the types of draft-ietf-httpapi-ratelimit-headers-11. */
internal object Problem {
    private const val TYPES = "https://iana.org/assignments/http-problem-types#"

    fun of(
        refusal: RateLimitRefusal,
        status: HttpStatusCode,
    ): JsonObject =
        buildJsonObject {
            put("type", type(refusal.reason))
            put("title", title(refusal.reason))
            put("status", status.value)
            put("detail", refusal.detail)
            refusal.retryAfter?.let { put("retryAfter", secondsUp(it)) }
            if (refusal.violatedPolicies.isNotEmpty()) putJsonArray("violated-policies") { refusal.violatedPolicies.forEach(::add) }
        }

    private fun type(reason: Reason) =
        when (reason) {
            Reason.LIMIT, Reason.TOO_HEAVY -> TYPES + "quota-exceeded"
            Reason.OUTAGE -> TYPES + "temporary-reduced-capacity"
            Reason.BLOCKED -> "about:blank"
        }

    private fun title(reason: Reason) =
        when (reason) {
            Reason.LIMIT -> "Too many requests"
            Reason.TOO_HEAVY -> "A request that costs too much"
            Reason.OUTAGE -> "Service unavailable"
            Reason.BLOCKED -> "Forbidden"
        }
}

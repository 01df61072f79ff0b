package dev.ratelimit.ktor.server.admin

import dev.ratelimit.ktor.server.answers.secondsUp
import io.ktor.http.ContentType
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpMethod
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.ApplicationCall
import io.ktor.server.request.httpMethod
import io.ktor.server.response.header
import io.ktor.server.response.respond
import io.ktor.server.response.respondText
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put
import kotlin.time.Duration.Companion.nanoseconds

/** Why a call is not answered as it wanted, as RFC 9457 has it: [detail] names the value and what to write. */
internal class Problem(
    val status: HttpStatusCode,
    val detail: String,
    val headers: Map<String, String> = emptyMap(),
    cause: Throwable? = null,
) : RuntimeException(detail, cause, false, false) {
    suspend fun tell(call: ApplicationCall) {
        headers.forEach { (name, value) -> call.response.header(name, value) }
        // The answer to HEAD has no body.
        if (call.request.httpMethod == HttpMethod.Head) return call.respond(status)
        val json =
            buildJsonObject {
                put("type", "about:blank")
                put("title", status.description)
                put("status", status.value)
                put("detail", detail)
            }
        call.respondText("$json", ContentType.Application.ProblemJson, status)
    }

    companion object {
        fun badRequest(detail: String) = Problem(HttpStatusCode.BadRequest, detail)

        /** @param nanos how long to stay away */
        fun retryLater(
            status: HttpStatusCode,
            nanos: Long,
            detail: String,
        ): Problem {
            val seconds = secondsUp(nanos.nanoseconds)
            return Problem(status, "$detail; try again in $seconds s", mapOf(HttpHeaders.RetryAfter to "$seconds"))
        }
    }
}

package dev.ratelimit.ktor.server.admin

import dev.ratelimit.ktor.server.RateLimitingControl
import io.ktor.http.ContentType
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpStatusCode
import io.ktor.http.decodeURLPart
import io.ktor.server.application.ApplicationCall
import io.ktor.server.request.accept
import io.ktor.server.response.header
import io.ktor.server.response.respondText
import kotlinx.serialization.json.JsonObject
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes

/** What is shown. */
internal class Views(
    private val control: RateLimitingControl,
    private val live: LiveCounts,
) {
    suspend fun metrics(call: ApplicationCall) = call.respondJson(metricsJson(control.metrics(window(call)), control.health()))

    /** @param encoded the rule's name, as it stands in the path */
    suspend fun endpoint(
        call: ApplicationCall,
        encoded: String,
    ) {
        val rule = encoded.decodeURLPart()
        val metrics = control.metrics(window(call))
        val known = control.rules.map { it.name } union metrics.rules.keys
        if (rule !in known) throw Problem(HttpStatusCode.NotFound, "there is no rule '$rule'; there are ${known.map { "'$it'" }}")
        call.respondJson(ruleMetricsJson(metrics, rule, control.health()))
    }

    suspend fun realTime(call: ApplicationCall) {
        val wantsStream = call.request.accept().orEmpty().contains("${ContentType.Text.EventStream}")
        if (wantsStream) live.stream(call) else call.respondJson(live.now())
    }

    suspend fun config(call: ApplicationCall) = call.respondJson(configJson(control.isEnabled, control.rules))

    suspend fun health(call: ApplicationCall) {
        val health = control.health()
        call.respondJson(healthJson(health), if (health.isUp) HttpStatusCode.OK else HttpStatusCode.ServiceUnavailable)
    }

    suspend fun peek(call: ApplicationCall) {
        val asked = call.request.queryParameters
        val rule = asked["rule"] ?: throw Problem.badRequest("the parameter 'rule' is missing; write $PEEK")
        val scope = asked["scope"] ?: throw Problem.badRequest("the parameter 'scope' is missing; write $PEEK")
        val results = orBadRequest { control.peek(rule, scope, asked["key"], asked["tier"]) }
        call.respondJson(peekJson(rule, scope, results))
    }

    private fun window(call: ApplicationCall): Duration {
        val text = call.request.queryParameters["window"] ?: return 1.hours
        val window = Duration.parseOrNull(text) ?: Duration.ZERO
        if (window !in 1.minutes..LONGEST_WINDOW) {
            throw Problem.badRequest(
                "window '$text' is no time between 1m and ${LONGEST_WINDOW.inWholeDays}d; write for example 15m, 1h or 7d",
            )
        }
        return window
    }

    private companion object {
        val LONGEST_WINDOW = 366.days
        const val PEEK = "peek?rule=/api/*&scope=ip&key=203.0.113.7"
    }
}

internal suspend fun ApplicationCall.respondJson(
    json: JsonObject,
    status: HttpStatusCode = HttpStatusCode.OK,
) {
    response.header(HttpHeaders.CacheControl, "no-store")
    respondText("$json", ContentType.Application.Json, status)
}

/** The control says what was wrong with what it was asked. */
@Suppress("SwallowedException")
internal inline fun <T> orBadRequest(ask: () -> T): T =
    try {
        ask()
    } catch (e: IllegalArgumentException) {
        throw Problem(HttpStatusCode.BadRequest, e.message.orEmpty(), cause = e)
    }

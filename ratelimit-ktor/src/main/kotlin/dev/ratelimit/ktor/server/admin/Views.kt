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
    suspend fun metrics(call: ApplicationCall) {
        val byEndpoint = byEndpoint(call)
        call.respondJson(metricsJson(control.metrics(window(call), byEndpoint), control.health(), byEndpoint))
    }

    /** @param encoded the name of a rule or an endpoint, as it stands in the path; where both have it, the rule is meant */
    suspend fun endpoint(
        call: ApplicationCall,
        encoded: String,
    ) {
        val name = encoded.decodeURLPart()
        val metrics = control.metrics(window(call), byEndpoint = true)
        val rules = control.rules.map { it.name } union metrics.rules.keys
        val isEndpoint = name in metrics.endpoints && (name !in rules || byEndpoint(call))
        if (!isEndpoint && name !in rules) {
            val endpoints = metrics.endpoints.keys
            throw Problem(
                HttpStatusCode.NotFound,
                "there is no rule '$name', and no call of an endpoint '$name'; there are the rules ${some(rules)} and the endpoints " +
                    some(endpoints),
            )
        }
        val health = control.health()
        call.respondJson(if (isEndpoint) endpointMetricsJson(metrics, name, health) else ruleMetricsJson(metrics, name, health))
    }

    private fun byEndpoint(call: ApplicationCall): Boolean =
        when (val text = call.request.queryParameters["byEndpoint"]) {
            null, "false" -> false
            "true", "" -> true
            else -> throw Problem.badRequest("byEndpoint '$text' is neither true nor false; write byEndpoint=true, or leave it out")
        }

    private fun some(names: Collection<String>): String =
        if (names.size <= MOST_NAMES) {
            "${names.map { "'$it'" }}"
        } else {
            "${names.take(MOST_NAMES).map { "'$it'" }} and ${names.size - MOST_NAMES} more"
        }

    suspend fun realTime(call: ApplicationCall) {
        val wantsStream = call.request.accept().orEmpty().contains("${ContentType.Text.EventStream}")
        if (wantsStream) live.stream(call) else call.respondJson(live.now())
    }

    suspend fun config(call: ApplicationCall) = call.respondJson(configJson(control))

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
        const val MOST_NAMES = 50
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

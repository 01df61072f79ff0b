package dev.ratelimit.ktor.server.admin

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.ktor.server.RateLimitAdminConfig
import dev.ratelimit.ktor.server.RateLimitingControl
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpMethod
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.ApplicationCall
import io.ktor.server.request.httpMethod
import io.ktor.server.request.path
import io.ktor.server.response.header
import io.ktor.server.response.respondRedirect
import io.ktor.server.routing.Route
import io.ktor.server.routing.RoutingCall
import io.ktor.server.routing.route

/**
 * Shows and steers a [RateLimitingControl] over HTTP, under one prefix and behind one door: whoever is not let in learns nothing, not even
 * what is there.
 *
 * @param address whose guesses are counted together: the client's address, as the rules by address see it
 */
internal class AdminRoutes(
    control: RateLimitingControl,
    config: RateLimitAdminConfig,
    address: (ApplicationCall) -> String,
    clock: NanoClock = NanoClock.system(),
) {
    private class Place(
        val method: HttpMethod,
        val answer: suspend (ApplicationCall) -> Unit,
    )

    private val prefix = config.prefix
    private val audit = AdminAudit(clock)
    private val door = Door(config, address, audit, clock)
    private val live = LiveCounts(control, config.maxStreams)
    private val views = Views(control, live)
    private val acts = Acts(control, audit, config.name, address)
    private val page by lazy { Page(Assets()) }

    private val places: Map<String, Place> =
        mapOf(
            "" to get { page.show(it) },
            "metrics" to get(views::metrics),
            "metrics/real-time" to get(views::realTime),
            "metrics/real-time/stream" to get(live::stream),
            "config" to get(views::config),
            "health" to get(views::health),
            "peek" to get(views::peek),
            "reset" to Place(HttpMethod.Post, acts::reset),
            "emergency" to Place(HttpMethod.Post, acts::emergency),
        )

    /** How many streams of counts there are. */
    val streams: Int get() = live.streams

    fun install(route: Route) {
        route.route("$prefix/{$BEHIND...}") { handle { answer(call) } }
    }

    private suspend fun answer(call: RoutingCall) {
        call.response.header("X-Content-Type-Options", "nosniff")
        // Not no-referrer: that would make browsers send the Origin null.
        call.response.header("Referrer-Policy", "same-origin")
        call.response.header("Cross-Origin-Resource-Policy", "same-origin")
        try {
            val refusal = door.refusal(call)
            if (refusal == null) serve(call) else refuse(call, refusal)
        } catch (e: Problem) {
            refuse(call, e)
        } catch (e: RateLimitStoreException) {
            refuse(call, Problem(HttpStatusCode.ServiceUnavailable, "the store cannot answer: ${e.message}"))
        }
    }

    private suspend fun refuse(
        call: ApplicationCall,
        problem: Problem,
    ) {
        call.response.header(HttpHeaders.CacheControl, "no-store")
        problem.tell(call)
    }

    private suspend fun serve(call: RoutingCall) {
        val behind = call.pathParameters.getAll(BEHIND).orEmpty().count { it.isNotEmpty() }
        val path = behindPrefix(call.request.path(), behind) ?: return call.respondRedirect(withSlash(call.request.path()))
        val place = find(path) ?: throw Problem(HttpStatusCode.NotFound, "there is nothing at '$path'; there are ${places.keys.drop(1)}")
        if (call.request.httpMethod != place.method) {
            throw Problem(
                HttpStatusCode.MethodNotAllowed,
                "'${call.request.httpMethod.value}' is not for '$path'; send ${place.method.value}",
                mapOf(HttpHeaders.Allow to place.method.value),
            )
        }
        place.answer(call)
    }

    private fun find(path: String): Place? =
        when {
            path.startsWith(ENDPOINT) -> get { views.endpoint(it, path.removePrefix(ENDPOINT)) }
            path.startsWith(ASSETS) -> get { page.asset(it, path.removePrefix(ASSETS)) }
            else -> places[path]
        }

    private fun get(answer: suspend (ApplicationCall) -> Unit) = Place(HttpMethod.Get, answer)

    private companion object {
        const val BEHIND = "ratelimitAdmin"
        const val ENDPOINT = "metrics/endpoint/"
        const val ASSETS = "assets/"
    }
}

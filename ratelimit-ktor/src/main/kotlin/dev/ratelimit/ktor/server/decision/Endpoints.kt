package dev.ratelimit.ktor.server.decision

import dev.ratelimit.ktor.server.monitoring.Monitoring
import io.ktor.server.application.Application
import io.ktor.server.application.PipelineCall
import io.ktor.server.application.pluginOrNull
import io.ktor.server.routing.RoutingNode
import io.ktor.server.routing.RoutingResolveContext
import io.ktor.server.routing.RoutingResolveResult
import io.ktor.server.routing.RoutingRoot
import kotlinx.coroutines.CancellationException
import java.util.concurrent.ConcurrentHashMap

/**
 * What calls are about, in logs and lists: their route, and never their path, in which secrets may stand and of which there are more than
 * anybody can count. Thread-safe.
 */
internal class Endpoints(
    private val application: Application,
    private val monitoring: Monitoring,
) {
    /** Of calls that no route answers. */
    val none = RouteInfo(RouteInfo.NONE, emptyList(), monitoring.endpoint(RouteInfo.NONE))
    private val routes = ConcurrentHashMap<RoutingNode, RouteInfo>()

    fun of(route: RoutingNode): RouteInfo = routes[route] ?: routes.getOrPut(route) { RouteInfo.of(route, monitoring) }

    /** Of a call that is refused; looks its route up, once, where it was not routed yet. */
    suspend fun find(visit: Visit): String = (visit.route ?: sought(visit).also { visit.route = it }).endpoint

    @Suppress("TooGenericExceptionCaught")
    private suspend fun sought(visit: Visit): RouteInfo =
        try {
            route(visit)?.let(::of) ?: none
        } catch (e: CancellationException) {
            throw e
        } catch (_: Exception) {
            // A path that cannot be decoded, or a selector that fails: to routing they are errors, and here no news.
            none
        }

    private suspend fun route(visit: Visit): RoutingNode? {
        val call = visit.call as? PipelineCall ?: return null
        val root = application.pluginOrNull(RoutingRoot) ?: return null
        return (RoutingResolveContext(root, call, emptyList()).resolve() as? RoutingResolveResult.Success)?.route
    }
}

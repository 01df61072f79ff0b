package dev.ratelimit.ktor.server.decision

import dev.ratelimit.ktor.server.matching.Methods
import dev.ratelimit.ktor.server.monitoring.Counter
import dev.ratelimit.ktor.server.monitoring.Monitoring
import io.ktor.server.routing.HttpMethodRouteSelector
import io.ktor.server.routing.RoutePathComponent
import io.ktor.server.routing.RouteSelector
import io.ktor.server.routing.RouteSelectorEvaluation
import io.ktor.server.routing.RoutingNode
import io.ktor.server.routing.RoutingResolveContext
import io.ktor.server.routing.TrailingSlashRouteSelector

/** Marks routes to which the rule of this name applies; it has no part in finding the route. */
internal data class RateLimitedSelector(
    val rule: String,
) : RouteSelector() {
    override suspend fun evaluate(
        context: RoutingResolveContext,
        segmentIndex: Int,
    ): RouteSelectorEvaluation = RouteSelectorEvaluation.Transparent

    override fun toString(): String = "(rateLimited $rule)"
}

/**
 * What is known of a route.
 *
 * @property endpoint its method and its path as routing has it, such as `GET /users/{id}`
 * @property rules those that it names, the outermost first
 * @property counter counts its calls
 */
internal class RouteInfo(
    val endpoint: String,
    val rules: List<String>,
    val counter: Counter,
) {
    companion object {
        /** The endpoint of calls that no route answers. */
        const val NONE = "(no route)"

        fun of(
            route: RoutingNode,
            monitoring: Monitoring,
        ): RouteInfo {
            val selectors = generateSequence(route) { it.parent }.map { it.selector }.toList().asReversed()
            val path = selectors.filter { it is RoutePathComponent && it !is TrailingSlashRouteSelector }.map { it.toString() }
            val method = selectors.filterIsInstance<HttpMethodRouteSelector>().lastOrNull()?.method?.value
            val text = "/" + path.filter { it.isNotEmpty() }.joinToString("/")
            val names = selectors.filterIsInstance<RateLimitedSelector>().map { it.rule }
            val endpoint = if (method == null) text else "${Methods.counted(method)} $text"
            return RouteInfo(endpoint, names.distinct(), monitoring.endpoint(endpoint))
        }
    }
}

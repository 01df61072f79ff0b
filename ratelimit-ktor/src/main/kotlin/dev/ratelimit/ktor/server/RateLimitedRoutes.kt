package dev.ratelimit.ktor.server

import dev.ratelimit.ktor.server.decision.Control
import dev.ratelimit.ktor.server.decision.RateLimitedSelector
import io.ktor.server.routing.Route
import io.ktor.server.routing.application

/**
 * The routes that [build] makes go by the [limit][RateLimitingConfig.limit] of this name, besides the rules about their paths:
 * `rateLimited("search") { get("/search") { … } }`. It may stand inside of `authenticate` or around it: what authentication refuses is
 * counted in both, and limits by user see the principal in both. One in another: both rule.
 *
 * @throws IllegalArgumentException if [RateLimiting] has no limit of this name
 * @throws io.ktor.server.application.MissingApplicationPluginException if [RateLimiting] is not installed before
 */
public fun Route.rateLimited(
    name: String,
    build: Route.() -> Unit,
): Route {
    val control = application.rateLimiting as Control
    control.runtime.use(name)
    return createChild(RateLimitedSelector(name)).apply(build)
}

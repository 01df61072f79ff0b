package dev.ratelimit.ktor.server

import dev.ratelimit.ktor.server.decision.Arrived
import dev.ratelimit.ktor.server.decision.Authenticated
import dev.ratelimit.ktor.server.decision.HeadersOfAnswer
import dev.ratelimit.ktor.server.decision.Routed
import dev.ratelimit.ktor.server.decision.Runtime
import dev.ratelimit.ktor.server.decision.Unrouted
import io.ktor.server.application.Application
import io.ktor.server.application.ApplicationCallPipeline
import io.ktor.server.application.BaseApplicationPlugin
import io.ktor.server.application.plugin
import io.ktor.server.response.ApplicationSendPipeline
import io.ktor.server.routing.routing
import io.ktor.util.AttributeKey
import io.ktor.util.pipeline.PipelinePhase

/**
 * Protects a Ktor server: limits by address, user, API key, endpoint, or whatever a function finds, in memory, in a file that processes
 * share or in Redis. Where it says … here, write a star.
 *
 * ```kotlin
 * val redis = RedisStore.connect("redis://localhost:6379")
 * install(RateLimiting) {
 *     store = redis
 *     rule("POST:/auth/…") { perIp(RateLimit.fixedWindow(5, 5.minutes)); perIp(RateLimit.slidingLog(10, 1.hours)) }
 *     rule("/api/…") { perUser(1_000.perHour); perIp(100.perMinute.withBurst(150)); global(RateLimit.slidingWindow(10_000, 1.minutes)) }
 * }
 * ```
 *
 * **Which limits a call has**: those of the most specific [rule][RateLimitingConfig.rule] about its path, those that rule
 * [everywhere][RateLimitingConfig.everywhere], and those that its route names ([rateLimited]). All grant, or none is charged.
 *
 * **When they are asked**: after other plugins and before routing, in one question to the store; so what `authenticate` refuses around
 * routes is counted too, and what a plugin answers before them is not. Limits that need the route or the principal are asked once these are
 * known, before the route's handler; if they refuse, what was charged before is given back. A leaky bucket makes the call wait for its
 * turn, for [a while][RateLimitingConfig.maxWait] at most.
 *
 * **Refusals** are 429 with `Retry-After` and problem details (RFC 9457), 403 for the [deny-list][RateLimitingConfig.deny], and 503 only
 * when the store is away and calls are not to pass meanwhile; see [AnswersConfig].
 *
 * **Settings that cannot be meant** fail with [IllegalArgumentException] when the plugin is installed, naming the rule. A function that
 * throws while a call is decided fails the call; nothing is let through by mistake.
 *
 * Install it once for an application. See and steer it by [rateLimiting]; watch it by [RateLimitingEvents].
 */
public object RateLimiting : BaseApplicationPlugin<Application, RateLimitingConfig, RateLimitingControl> {
    override val key: AttributeKey<RateLimitingControl> = AttributeKey("RateLimiting")

    /** After all plugins, whatever order they are installed in: methods are overridden and preflights of CORS answered by now. */
    private val arrival = PipelinePhase("RateLimitingArrival")

    /** Before what answers for lack of a route. */
    private val unrouted = PipelinePhase("RateLimitingUnrouted")

    /** After authentication. */
    private val authenticated = PipelinePhase("RateLimitingAuthenticated")

    override fun install(
        pipeline: Application,
        configure: RateLimitingConfig.() -> Unit,
    ): RateLimitingControl {
        val runtime = Runtime(pipeline, configure)
        pipeline.insertPhaseBefore(ApplicationCallPipeline.Call, arrival)
        pipeline.intercept(arrival, Arrived(runtime))
        pipeline.insertPhaseBefore(ApplicationCallPipeline.Fallback, unrouted)
        pipeline.intercept(unrouted, Unrouted(runtime))
        pipeline.sendPipeline.intercept(ApplicationSendPipeline.Before, HeadersOfAnswer)
        pipeline.routing {
            runtime.installAdmin(this)
            val root = this as ApplicationCallPipeline
            root.insertPhaseBefore(ApplicationCallPipeline.Call, authenticated)
            root.intercept(ApplicationCallPipeline.Plugins, Routed(runtime))
            root.intercept(authenticated, Authenticated(runtime))
        }
        return runtime.control
    }
}

/**
 * What sees and steers this application's [RateLimiting].
 *
 * @throws io.ktor.server.application.MissingApplicationPluginException if it is not installed
 */
public val Application.rateLimiting: RateLimitingControl get() = plugin(RateLimiting)

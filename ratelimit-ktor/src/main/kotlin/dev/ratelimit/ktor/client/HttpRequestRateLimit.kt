package dev.ratelimit.ktor.client

import dev.ratelimit.ktor.client.learning.HintReader
import dev.ratelimit.ktor.client.learning.Learner
import dev.ratelimit.ktor.client.learning.Pauses
import dev.ratelimit.ktor.client.passage.Events
import dev.ratelimit.ktor.client.passage.Gate
import dev.ratelimit.ktor.client.passage.OrderWarning
import dev.ratelimit.ktor.client.passage.Passage
import dev.ratelimit.ktor.client.passage.Stay
import io.ktor.client.HttpClient
import io.ktor.client.plugins.ResponseException
import io.ktor.client.plugins.api.ClientPlugin
import io.ktor.client.plugins.api.Send
import io.ktor.client.plugins.api.createClientPlugin
import io.ktor.client.request.HttpRequestPipeline
import io.ktor.client.request.HttpSendPipeline
import io.ktor.util.AttributeKey
import io.ktor.util.pipeline.PipelinePhase

/**
 * Makes a Ktor client stay under the limits of the hosts it calls: each request waits for a permit of its host, first in, first out.
 *
 * ```kotlin
 * HttpClient(CIO) {
 *     install(HttpRequestRetry) { retryOnServerErrors(maxRetries = 3) }
 *     install(HttpRequestRateLimit) {
 *         hosts("www.sec.gov", "data.sec.gov", limit = 10.perSecond)   // one bucket for both
 *         otherHosts(1.perSecond)                                      // one bucket for each other host
 *         maxWait = 30.seconds
 *     }
 *     install(HttpTimeout) { requestTimeoutMillis = 5_000 }
 * }
 * ```
 *
 * **What is charged.** One permit (or its [weight][HttpRequestRateLimitConfig.weight]) for each request that reaches the wire, at the host
 * that it goes to: each hop of a redirect, each try of a plugin that stands outside of this one. A request that never gets to the engine
 * gives its permit back: one that [HttpCache][io.ktor.client.plugins.cache.HttpCache] answers (it has waited its turn all the same), or
 * one that a plugin further in refuses. Of a WebSocket the handshake is charged.
 *
 * **What is learned.** What answers say of limits makes the bucket pause, for all who share it; see [HttpRequestRateLimitConfig.learns]
 * and [HttpRequestRateLimitConfig.adaptive].
 *
 * **Install order is nesting**, outermost first: retry, limit, timeout. Then each retry pays, and
 * [HttpTimeout][io.ktor.client.plugins.HttpTimeout] does not time the wait. Installed before this plugin, HttpTimeout times the wait
 * too and ends it. Another order is warned of, once.
 *
 * **Waiting** suspends and blocks no thread. A request that is cancelled, that times out or whose client is closed while it waits
 * leaves the line at no cost. One request can be treated otherwise: [rateLimit]. What happens can be watched: [RateLimitEvents].
 *
 * **Errors.** A request fails with [RateLimitExceededException][dev.ratelimit.RateLimitExceededException] at once when its permit
 * cannot come within [HttpRequestRateLimitConfig.maxWait], and with
 * [RateLimitStoreException][dev.ratelimit.RateLimitStoreException] when the store cannot answer. Note that
 * [HttpRequestRetry][io.ktor.client.plugins.HttpRequestRetry] retries on every exception unless told otherwise:
 * `retryOnExceptionIf { _, cause -> cause is IOException }`. Settings that cannot be meant fail with [IllegalArgumentException] when
 * the client is made.
 *
 * Thread-safe, like the client. Buckets belong to the installed plugin: clients that shall share them, in a process or beyond, get the
 * same [HttpRequestRateLimitConfig.store] and the same rules.
 */
public val HttpRequestRateLimit: ClientPlugin<HttpRequestRateLimitConfig> =
    createClientPlugin("HttpRequestRateLimit", ::HttpRequestRateLimitConfig) {
        val order = OrderWarning(client)
        val learner = learner(client, pluginConfig)
        val gate = gate(client, pluginConfig, learner)

        on(Send) { request ->
            order.check(request)
            val stay = request.attributes.getOrNull(stayKey)
            stay?.end()
            val passage = gate.pass(request) ?: return@on proceed(request)
            try {
                stay?.begin(passage)
                request.attributes.put(passageKey, passage)
                val call = proceed(request)
                passage.hold(call)
                if (passage.isSent) learner.answered(passage.targets, passage.sentAt, call.response)
                call
            } catch (e: ResponseException) {
                learner.answered(passage.targets, passage.sentAt, e.response)
                throw e
            } finally {
                passage.close()
            }
        }

        pluginConfig.bodies()?.install(client)

        client.requestPipeline.intercept(HttpRequestPipeline.Before) { context.attributes.put(stayKey, Stay()) }
        client.sendPipeline.insertPhaseBefore(HttpSendPipeline.Engine, wire)
        client.sendPipeline.intercept(wire) { context.attributes.getOrNull(passageKey)?.use() }
    }

private fun learner(
    client: HttpClient,
    config: HttpRequestRateLimitConfig,
): Learner {
    val clock = config.clock()
    return Learner(config.learning(), HintReader(config.wallClock), Pauses(config.store, clock), clock, Events(client)::learned)
}

private fun gate(
    client: HttpClient,
    config: HttpRequestRateLimitConfig,
    learner: Learner,
): Gate =
    Gate(
        config.rules(),
        learner,
        config.inFlight(),
        config.weigher(),
        config.maxWait,
        config.clock(),
        Events(client),
        config.robotsFor(client),
        config.jitterer(),
    )

private val stayKey = AttributeKey<Stay>("RateLimitStay")
private val passageKey = AttributeKey<Passage>("RateLimitPassage")

/** The last thing before the engine, and so behind the cache. */
private val wire = PipelinePhase("RateLimitWire")

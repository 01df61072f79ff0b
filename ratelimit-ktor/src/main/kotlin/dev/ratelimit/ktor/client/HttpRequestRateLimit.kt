package dev.ratelimit.ktor.client

import io.ktor.client.plugins.api.ClientPlugin
import io.ktor.client.plugins.api.Send
import io.ktor.client.plugins.api.createClientPlugin
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
 * **What is charged.** One permit for each request that reaches the wire, at the host that it goes to: each hop of a redirect, each
 * try of a plugin that stands outside of this one. A request that never gets to the engine gives its permit back: one that
 * [HttpCache][io.ktor.client.plugins.cache.HttpCache] answers (it has waited its turn all the same), or one that a plugin further
 * in refuses.
 *
 * **Install order is nesting**, outermost first: retry, limit, timeout. Then each retry pays, and
 * [HttpTimeout][io.ktor.client.plugins.HttpTimeout] does not time the wait. Installed before this plugin, HttpTimeout times the wait
 * too and ends it.
 *
 * **Waiting** suspends and blocks no thread. A request that is cancelled, that times out or whose client is closed while it waits
 * leaves the line at no cost.
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
        val limiters = pluginConfig.limiters()
        val maxWait = pluginConfig.maxWait

        on(Send) { request ->
            val limiter = limiters.of(request.url.host) ?: return@on proceed(request)
            val passage = Passage(limiter)
            try {
                passage.open(request.executionContext, maxWait)
                request.attributes.put(passageKey, passage)
                proceed(request)
            } finally {
                passage.close()
            }
        }

        pluginConfig.bodies()?.install(client)

        client.sendPipeline.insertPhaseBefore(HttpSendPipeline.Engine, wire)
        client.sendPipeline.intercept(wire) { context.attributes.getOrNull(passageKey)?.use() }
    }

private val passageKey = AttributeKey<Passage>("RateLimitPassage")

/** The last thing before the engine, and so behind the cache. */
private val wire = PipelinePhase("RateLimitWire")

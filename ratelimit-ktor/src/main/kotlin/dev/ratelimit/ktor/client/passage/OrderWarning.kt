package dev.ratelimit.ktor.client.passage

import io.ktor.client.HttpClient
import io.ktor.client.plugins.HttpRequestRetry
import io.ktor.client.plugins.HttpTimeout
import io.ktor.client.plugins.HttpTimeoutCapability
import io.ktor.client.plugins.pluginOrNull
import io.ktor.client.request.HttpRequestBuilder
import org.slf4j.LoggerFactory
import java.util.concurrent.atomic.AtomicBoolean

/** Warns, once for each client, where other plugins are nested in a way that is hardly meant. */
internal class OrderWarning(
    private val client: HttpClient,
) {
    private val hadRetry = client.pluginOrNull(HttpRequestRetry) != null
    private val hadTimeout = client.pluginOrNull(HttpTimeout) != null
    private val ofRetry = AtomicBoolean()
    private val ofTimeout = AtomicBoolean()

    fun check(request: HttpRequestBuilder) {
        if (!hadRetry && !ofRetry.get() && client.pluginOrNull(HttpRequestRetry) != null && ofRetry.compareAndSet(false, true)) {
            log.warn(
                "HttpRequestRetry is installed after HttpRequestRateLimit, so that all tries of a request cost one permit; " +
                    "write install(HttpRequestRetry) before install(HttpRequestRateLimit)",
            )
        }
        if (hadTimeout && !ofTimeout.get() && request.hasTimeLimit() && ofTimeout.compareAndSet(false, true)) {
            log.warn(
                "HttpTimeout is installed before HttpRequestRateLimit, so that its requestTimeoutMillis runs while a request waits for " +
                    "its permit; write install(HttpTimeout) after install(HttpRequestRateLimit)",
            )
        }
    }

    private fun HttpRequestBuilder.hasTimeLimit(): Boolean =
        getCapabilityOrNull(HttpTimeoutCapability)?.requestTimeoutMillis.let { it != null && it != Long.MAX_VALUE }

    private companion object {
        val log = LoggerFactory.getLogger("dev.ratelimit.ktor.client.HttpRequestRateLimit")
    }
}

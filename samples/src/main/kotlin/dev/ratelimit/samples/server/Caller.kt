package dev.ratelimit.samples.server

import io.ktor.client.HttpClient
import io.ktor.client.request.header
import io.ktor.client.request.request
import io.ktor.http.HttpMethod
import kotlinx.coroutines.delay
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Somebody who calls the API, decently or not. */
internal class Caller(
    val name: String,
    private val method: HttpMethod,
    private val path: (Int) -> String,
    private val address: (Int) -> String,
    private val key: String?,
    private val between: Duration,
    private val listens: Boolean = false,
) {
    val passed = AtomicLong()
    val refused = AtomicLong()
    val failed = AtomicLong()

    /** Calls the instances in turn, for ever. */
    suspend fun run(
        client: HttpClient,
        instances: List<String>,
    ) {
        val number = AtomicInteger()
        while (true) {
            val i = number.getAndIncrement()
            val response =
                client.request(instances[i % instances.size] + path(i)) {
                    method = this@Caller.method
                    header("X-Forwarded-For", address(i))
                    if (key != null) header("X-API-Key", key)
                }
            when (response.status.value) {
                TOO_MANY -> refused.incrementAndGet()
                in SERVER_ERRORS -> failed.incrementAndGet()
                else -> passed.incrementAndGet()
            }
            val wait = if (listens) response.headers["Retry-After"]?.toLongOrNull() else null
            delay(wait?.seconds ?: between)
        }
    }

    companion object {
        private const val TOO_MANY = 429
        private val SERVER_ERRORS = 500..599

        private fun orders(number: Int) = "/api/orders/$number"

        /** What the client wrote, and what the proxy in front of the API found. */
        private fun forged(number: Int) = "10.0.0.${number % 250}, 203.0.113.5"

        fun everybody(): List<Caller> =
            listOf(
                Caller("polite customer", HttpMethod.Get, ::orders, { "192.0.2.1" }, "customer", 100.milliseconds, listens = true),
                Caller("scraper without a pause", HttpMethod.Get, ::orders, { "192.0.2.66" }, "scraper", 5.milliseconds),
                Caller("exporter", HttpMethod.Get, { "/api/export" }, { "192.0.2.7" }, "exporter", 500.milliseconds),
                Caller("guesser of passwords", HttpMethod.Post, { "/auth/login" }, { "198.51.100.9" }, null, 50.milliseconds),
                Caller("guesser who forges headers", HttpMethod.Post, { "//auth/log%69n/" }, ::forged, null, 50.milliseconds),
            )
    }
}

package dev.ratelimit.samples.kotlin

import dev.ratelimit.jvm.perSecond
import dev.ratelimit.ktor.client.HttpRequestRateLimit
import dev.ratelimit.samples.LocalServer
import io.ktor.client.HttpClient
import io.ktor.client.engine.cio.CIO
import io.ktor.client.plugins.HttpRequestRetry
import io.ktor.client.plugins.HttpTimeout
import io.ktor.client.request.get
import io.ktor.client.statement.bodyAsText
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime

/** A client that cannot exceed the limits of its hosts. Install order is nesting: retry, limit, timeout. */
fun main() =
    runBlocking(Dispatchers.Default) {
        val client =
            HttpClient(CIO) {
                install(HttpRequestRetry) {
                    retryOnServerErrors(maxRetries = 3)
                    constantDelay(millis = 20, randomizationMs = 0)
                }
                install(HttpRequestRateLimit) {
                    hosts("www.sec.gov", "data.sec.gov", limit = 10.perSecond)
                    otherHosts(20.perSecond.withBurst(1))
                    maxWait = 30.seconds
                }
                install(HttpTimeout) { requestTimeoutMillis = 5_000 }
            }

        client.use {
            LocalServer.start(2).use { server ->
                val time = measureTime { repeat(5) { i -> println(client.get("${server.page("/$i")}").bodyAsText()) } }
                println("five pages and two retries, 50 ms apart: ${if (time >= 0.3.seconds) "at least 300 ms" else "too fast"}")
            }
        }
    }

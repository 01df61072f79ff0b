package dev.ratelimit.samples.kotlin

import dev.ratelimit.jvm.RateLimit
import dev.ratelimit.jvm.perMinute
import dev.ratelimit.ktor.server.RateLimitTier.Companion.FREE
import dev.ratelimit.ktor.server.RateLimitTier.Companion.PREMIUM
import dev.ratelimit.ktor.server.RateLimitTiers
import dev.ratelimit.ktor.server.RateLimiting
import dev.ratelimit.ktor.server.rateLimited
import io.ktor.client.HttpClient
import io.ktor.client.request.get
import io.ktor.client.request.header
import io.ktor.client.request.post
import io.ktor.client.statement.bodyAsText
import io.ktor.server.application.Application
import io.ktor.server.application.ApplicationCall
import io.ktor.server.application.install
import io.ktor.server.cio.CIO
import io.ktor.server.engine.embeddedServer
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.routing
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlin.time.Duration.Companion.minutes
import io.ktor.client.engine.cio.CIO as ClientCIO

/** An API that limits logins by address, calls by address and in all, and searches by the plan of an API key. */
fun main() =
    runBlocking(Dispatchers.Default) {
        val server = embeddedServer(CIO, port = 0, host = "127.0.0.1") { api() }.startSuspend(wait = false)
        val url = "http://127.0.0.1:${server.engine.resolvedConnectors().first().port}"
        HttpClient(ClientCIO).use { client ->
            println("six logins: ${List(6) { client.post("$url/auth/login").status.value }}")
            for (key in listOf("free-1", "premium-1")) {
                val found = List(60) { client.get("$url/search") { header("X-API-Key", key) }.status.value }.count { it == 200 }
                println("$key: $found of 60 searches")
            }
            println(client.post("$url/auth/login").bodyAsText())
        }
        server.stopSuspend(0, 0)
    }

private fun Application.api() {
    install(RateLimiting) {
        rule("POST:/auth/*") { perIp(RateLimit.fixedWindow(5, 5.minutes)) }
        rule("/api/*") {
            perIp(100.perMinute.withBurst(150))
            global(RateLimit.slidingWindow(10_000, 1.minutes))
        }
        limit("search") {
            perApiKey(RateLimitTiers(FREE, PREMIUM) { call -> planOf(call) })
            // Whoever invents keys has a new bucket for each, but one address.
            perIp(200.perMinute)
        }
    }
    routing {
        post("/auth/login") { call.respondText("welcome") }
        get("/api/orders") { call.respondText("[]") }
        rateLimited("search") { get("/search") { call.respondText("found") } }
    }
}

private fun planOf(call: ApplicationCall): String? = call.request.headers["X-API-Key"]?.substringBefore('-')

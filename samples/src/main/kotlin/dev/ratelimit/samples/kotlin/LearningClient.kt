package dev.ratelimit.samples.kotlin

import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.ktor.client.HttpRequestRateLimit
import dev.ratelimit.ktor.client.RateLimitEvents
import dev.ratelimit.samples.LocalServer
import io.ktor.client.HttpClient
import io.ktor.client.engine.cio.CIO
import io.ktor.client.request.get
import io.ktor.client.request.header
import io.ktor.client.statement.bodyAsText
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking

/** A client that does what the server asks for: the first answer is "503, again in a second". */
fun main() =
    runBlocking(Dispatchers.Default) {
        val client =
            HttpClient(CIO) {
                install(HttpRequestRateLimit) {
                    otherHosts(10.perSecond)
                    limit("api key", 1_000.perHour) { it.headers["X-Api-Key"] }
                    maxInFlight = 4
                }
            }
        client.monitor.subscribe(RateLimitEvents.Learned) { println("${it.source} asks for a pause of ${it.pause}") }
        client.monitor.subscribe(RateLimitEvents.Waited) { println("${it.url.encodedPath} waited ${it.waited}") }

        client.use {
            LocalServer.start(1).use { server ->
                repeat(2) { i -> println(client.get("${server.page("/$i")}") { header("X-Api-Key", "alice") }.bodyAsText()) }
            }
        }
    }

package dev.ratelimit.ktor.client

import dev.ratelimit.RateLimitExceededException
import dev.ratelimit.jvm.RateLimit
import dev.ratelimit.jvm.perHour
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.ktor.client.HttpClient
import io.ktor.client.plugins.HttpRequestRetry
import io.ktor.client.request.get
import io.ktor.client.statement.bodyAsText
import io.ktor.http.HttpStatusCode
import io.ktor.server.response.respond
import io.ktor.server.response.respondRedirect
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.seconds
import io.ktor.client.engine.cio.CIO as ClientCIO

/** A real server and a real client; limits that last an hour stand for the time that no test waits for. */
class LoopbackTest :
    FunSpec({
        fun HttpRequestRateLimitConfig.neverWait() {
            maxWait = Duration.ZERO
        }

        test("a redirect from one host to another charges both") {
            var port = 0
            serve({
                routing {
                    get("/here") { call.respondRedirect("http://localhost:$port/there") }
                    get("/there") { call.respondText("there") }
                }
            }) {
                port = it
                HttpClient(ClientCIO) {
                    install(HttpRequestRateLimit) {
                        hosts("127.0.0.1", limit = 2.perHour)
                        hosts("localhost", limit = 2.perHour)
                        neverWait()
                    }
                }.use { client ->
                    repeat(2) { client.get("http://127.0.0.1:$port/here").bodyAsText() shouldBe "there" }
                    shouldThrow<RateLimitExceededException> { client.get("http://localhost:$port/there") }
                    shouldThrow<RateLimitExceededException> { client.get("http://127.0.0.1:$port/there") }
                }
            }
        }

        test("each try of a retry charges") {
            var tries = 0
            serve({ routing { get("/") { call.respond(if (++tries < 3) HttpStatusCode.ServiceUnavailable else HttpStatusCode.OK) } } }) {
                HttpClient(ClientCIO) {
                    install(HttpRequestRetry) {
                        retryOnServerErrors(maxRetries = 5)
                        constantDelay(millis = 1, randomizationMs = 0)
                    }
                    install(HttpRequestRateLimit) {
                        otherHosts(3.perHour)
                        neverWait()
                    }
                }.use { client ->
                    client.get("http://127.0.0.1:$it/").status shouldBe HttpStatusCode.OK
                    tries shouldBe 3
                    val refusal = shouldThrow<RateLimitExceededException> { client.get("http://127.0.0.1:$it/") }
                    refusal.result.limit() shouldBe 3.perHour
                }
            }
        }

        test("real requests wait for their turn") {
            serve({ routing { get("/") { call.respondText("page") } } }) { port ->
                HttpClient(ClientCIO) {
                    install(HttpRequestRateLimit) {
                        hosts(
                            "127.0.0.1",
                            limits = listOf(RateLimit.tokenBucket(1000, 1.seconds).withBurst(1), RateLimit.slidingLog(21, 1.hours)),
                        )
                        maxWait = 30.seconds
                    }
                }.use { client ->
                    repeat(21) { client.get("http://127.0.0.1:$port/").bodyAsText() shouldBe "page" }
                    shouldThrow<RateLimitExceededException> { client.get("http://127.0.0.1:$port/") }
                }
            }
        }
    })

package dev.ratelimit.ktor.client

import dev.ratelimit.RateLimitExceededException
import dev.ratelimit.jvm.perHour
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.datatest.withData
import io.kotest.matchers.shouldBe
import io.ktor.client.HttpClient
import io.ktor.client.engine.HttpClientEngineFactory
import io.ktor.client.engine.cio.CIO
import io.ktor.client.engine.java.Java
import io.ktor.client.engine.okhttp.OkHttp
import io.ktor.client.plugins.HttpRequestRetry
import io.ktor.client.plugins.auth.Auth
import io.ktor.client.plugins.auth.providers.BasicAuthCredentials
import io.ktor.client.plugins.auth.providers.basic
import io.ktor.client.plugins.websocket.WebSockets
import io.ktor.client.plugins.websocket.webSocketSession
import io.ktor.client.request.get
import io.ktor.client.statement.bodyAsText
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.install
import io.ktor.server.request.header
import io.ktor.server.response.header
import io.ktor.server.response.respond
import io.ktor.server.response.respondRedirect
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import io.ktor.server.websocket.webSocket
import io.ktor.websocket.Frame
import io.ktor.websocket.close
import io.ktor.websocket.readText
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** The plugin does not depend on an engine; these are the ones that it was seen to work with. */
class EnginesTest :
    FunSpec({
        val engines = mapOf<String, HttpClientEngineFactory<*>>("CIO" to CIO, "OkHttp" to OkHttp, "Java" to Java)

        context("as many requests as permits, then a refusal") {
            withData(engines) { engine ->
                serve({ routing { get("/") { call.respondText("page") } } }) { port ->
                    HttpClient(engine) {
                        install(HttpRequestRateLimit) {
                            otherHosts(3.perHour)
                            maxInFlight = 1
                            maxWait = 10.seconds
                        }
                    }.use { client ->
                        repeat(3) { client.get("http://127.0.0.1:$port/").bodyAsText() shouldBe "page" }
                        shouldThrow<RateLimitExceededException> { client.get("http://127.0.0.1:$port/") }
                    }
                }
            }
        }

        context("of a WebSocket the handshake is charged, and it holds no place once it is open") {
            withData(engines) { engine ->
                serve({
                    install(io.ktor.server.websocket.WebSockets)
                    routing {
                        webSocket("/") { for (frame in incoming) send(Frame.Text("heard " + (frame as Frame.Text).readText())) }
                    }
                }) { port ->
                    HttpClient(engine) {
                        install(WebSockets)
                        install(HttpRequestRateLimit) {
                            otherHosts(2.perHour)
                            maxInFlight = 1
                            maxWait = 10.seconds
                        }
                    }.use { client ->
                        val sessions = List(2) { client.webSocketSession("ws://127.0.0.1:$port/") }
                        for (session in sessions) {
                            repeat(5) {
                                session.send(Frame.Text("$it"))
                                (session.incoming.receive() as Frame.Text).readText() shouldBe "heard $it"
                            }
                        }
                        shouldThrow<RateLimitExceededException> { client.webSocketSession("ws://127.0.0.1:$port/") }
                        sessions.forEach { it.close() }
                    }
                }
            }
        }

        context("a redirect to the same host needs no second place") {
            withData(engines) { engine ->
                serve({
                    routing {
                        get("/") { call.respondRedirect("/there") }
                        get("/there") { call.respondText("there") }
                    }
                }) { port ->
                    HttpClient(engine) {
                        install(HttpRequestRateLimit) {
                            otherHosts(100.perHour)
                            maxInFlight = 1
                            maxWait = 5.seconds
                        }
                    }.use { client -> repeat(3) { client.get("http://127.0.0.1:$port/").bodyAsText() shouldBe "there" } }
                }
            }
        }

        context("a retry needs no second place") {
            withData(engines) { engine ->
                var tries = 0
                serve({
                    routing {
                        get("/") {
                            call.respond(
                                if (++tries <
                                    3
                                ) {
                                    HttpStatusCode.BadGateway
                                } else {
                                    HttpStatusCode.OK
                                },
                            )
                        }
                    }
                }) { port ->
                    HttpClient(engine) {
                        install(HttpRequestRetry) {
                            retryOnServerErrors(maxRetries = 5)
                            constantDelay(millis = 1, randomizationMs = 0)
                        }
                        install(HttpRequestRateLimit) {
                            otherHosts(100.perHour)
                            maxInFlight = 1
                            maxWait = 5.seconds
                        }
                    }.use { client -> client.get("http://127.0.0.1:$port/").status shouldBe HttpStatusCode.OK }
                }
            }
        }

        test("with Auth each request that goes out is charged, the challenged one too") {
            serve({
                routing {
                    get("/") {
                        if (call.request.header(HttpHeaders.Authorization) == null) {
                            call.response.header(HttpHeaders.WWWAuthenticate, "Basic realm=\"x\"")
                            call.respond(HttpStatusCode.Unauthorized)
                        } else {
                            call.respondText("in")
                        }
                    }
                }
            }) { port ->
                HttpClient(CIO) {
                    install(Auth) { basic { credentials { BasicAuthCredentials("user", "secret") } } }
                    install(HttpRequestRateLimit) {
                        otherHosts(2.perHour)
                        maxWait = Duration.ZERO
                    }
                }.use { client ->
                    client.get("http://127.0.0.1:$port/").bodyAsText() shouldBe "in"
                    shouldThrow<RateLimitExceededException> { client.get("http://127.0.0.1:$port/") }
                }
            }
        }
    })

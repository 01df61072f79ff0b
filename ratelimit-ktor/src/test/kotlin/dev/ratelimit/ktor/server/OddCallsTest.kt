package dev.ratelimit.ktor.server

import dev.ratelimit.jvm.perHour
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldStartWith
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.install
import io.ktor.server.plugins.cors.routing.CORS
import io.ktor.server.response.respond
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.head
import io.ktor.server.routing.routing

/** Other plugins of Ktor, and callers that ask in unusual ways. */
class OddCallsTest :
    FunSpec({
        for (engine in engines) {
            val name = engine.javaClass.simpleName

            test("$name: preflights of CORS cost nothing, and a page of another site can read why it was refused") {
                limited(
                    { rule("/*") { perIp(2.perHour) } },
                    {
                        install(CORS) {
                            allowHost("shop.example")
                            exposeHeader("Retry-After")
                        }
                        anything()
                    },
                    engine,
                ) {
                    val origin = "Origin" to "http://shop.example"
                    val asked = "Access-Control-Request-Method" to "GET"
                    List(5) { send("OPTIONS", "/", origin, asked).status }.distinct() shouldBe listOf(200)
                    List(2) { get("/", origin).status } shouldContainExactly listOf(200, 200)
                    val refused = get("/", origin)
                    refused.status shouldBe 429
                    refused["Access-Control-Allow-Origin"] shouldBe "http://shop.example"
                    refused["Access-Control-Expose-Headers"]!! shouldContain "Retry-After"
                }
            }

            test("$name: a refused HEAD has no body, and the connection goes on") {
                limited({ rule("/*") { perIp(1.perHour) } }, engine = engine) {
                    get().status shouldBe 200
                    val refused = send("HEAD", "/")
                    refused.status shouldBe 429
                    refused["Retry-After"] shouldBe "3600"
                    refused.body shouldBe ""
                }
            }

            test("$name: an Accept that cannot be read asks for nothing") {
                limited({ rule("/*") { perIp(1.perHour) } }, engine = engine) {
                    get()
                    for (accept in listOf("a, b", ";;;", ",", "text/plain;q=x, /", "\"")) {
                        val refused = get("/", "Accept" to accept)
                        refused.status shouldBe 429
                        refused["Content-Type"]!! shouldStartWith "application/problem+json"
                    }
                }
            }
        }

        test("HEAD is a GET, also to a limit by endpoint") {
            limited(
                { rule("/*") { perEndpoint(3.perHour) } },
                {
                    routing {
                        get("/file") { call.respondText("text") }
                        head("/file") { call.respond(HttpStatusCode.OK) }
                    }
                },
            ) {
                val statuses = listOf("GET", "HEAD", "GET", "HEAD", "GET").map { send(it, "/file").status }
                statuses shouldContainExactly listOf(200, 200, 200, 429, 429)
            }
        }
    })

package dev.ratelimit.ktor.server

import dev.ratelimit.jvm.perHour
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.ktor.server.application.Application
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.route
import io.ktor.server.routing.routing
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.seconds

/** Which endpoint a call counts for, wherever its way ends. */
class EndpointMetricsTest :
    FunSpec({
        val routes: Application.() -> Unit = {
            routing {
                route("/users/{id}") {
                    get { call.respondText("a user") }
                    post { call.respondText("changed") }
                }
                rateLimited("search") { get("/search") { call.respondText("found") } }
                get("/broken") { error("a handler that fails") }
            }
        }

        for (engine in engines) {
            test("${engine.javaClass.simpleName}: each call counts for one endpoint, by its route and never by its path") {
                limited(
                    {
                        rule("/*") { perIp(100.perHour) }
                        rule("POST:/users/*") { perIp(1.perHour) }
                        limit("search") { global(1.perHour) }
                        bypass { whenever { it.request.headers["X-Friend"] != null } }
                        deny { whenever { it.request.headers["X-Foe"] != null } }
                    },
                    routes,
                    engine,
                ) {
                    repeat(2) { get("/users/$it") }
                    // Refused before routing.
                    repeat(3) { post("/users/7") }
                    // Refused once its route is known.
                    repeat(2) { get("/search") }
                    get("/users/7", "X-Friend" to "yes")
                    get("/search", "X-Foe" to "yes")
                    get("/broken")
                    repeat(2) { get("/not/there/$it") }
                    eventually(10.seconds) {
                        val metrics = application.rateLimiting.metrics(1.hours, byEndpoint = true)
                        metrics.endpoints.mapValues { (_, its) -> listOf(its.allowed, its.denied, its.bypassed, its.blocked) } shouldBe
                            mapOf(
                                "GET /users/{id}" to listOf(2L, 0L, 1L, 0L),
                                "POST /users/{id}" to listOf(1L, 2L, 0L, 0L),
                                "GET /search" to listOf(1L, 1L, 0L, 1L),
                                "GET /broken" to listOf(1L, 0L, 0L, 0L),
                                "(no route)" to listOf(2L, 0L, 0L, 0L),
                            )
                        metrics.endpoints.values.sumOf { it.requests } shouldBe metrics.totals.requests
                    }
                }
            }
        }
    })

package dev.ratelimit.ktor.server

import dev.ratelimit.jvm.perHour
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.ktor.server.application.Application
import io.ktor.server.application.install
import io.ktor.server.auth.Authentication
import io.ktor.server.auth.UserIdPrincipal
import io.ktor.server.auth.authenticate
import io.ktor.server.auth.basic
import io.ktor.server.auth.principal
import io.ktor.server.response.respondText
import io.ktor.server.routing.Route
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import java.util.Base64
import kotlin.time.Duration.Companion.hours

/** Failed logins are limited, and the principal is known where there is one (KTOR-9621, KTOR-9688). */
class AuthenticationTest :
    FunSpec({
        for (engine in engines) {
            val name = engine.javaClass.simpleName

            suspend fun limited(
                configure: RateLimitingConfig.() -> Unit,
                module: Application.() -> Unit,
                test: suspend Rig.() -> Unit,
            ) = limited(configure, module, engine, test = test)

            fun login(
                user: String,
                password: String = "right",
            ) = "Authorization" to "Basic " + Base64.getEncoder().encodeToString("$user:$password".toByteArray())

            var checked = 0

            fun application(build: Route.() -> Unit): Application.() -> Unit =
                {
                    install(Authentication) {
                        basic {
                            validate {
                                checked++
                                if (it.password == "right") UserIdPrincipal(it.name) else null
                            }
                        }
                    }
                    routing { build() }
                }

            fun Route.page() = get("/page") { call.respondText("hello ${call.principal<UserIdPrincipal>()?.name}") }

            val nestings =
                mapOf<String, Route.() -> Unit>(
                    "inside of authenticate" to { authenticate { rateLimited("page") { page() } } },
                    "around authenticate" to { rateLimited("page") { authenticate { page() } } },
                )
            for ((nesting, build) in nestings) {
                test("$name: limits of routes $nesting: each user has a bucket, and keeps the principal") {
                    limited({ limit("page") { perUser(2.perHour) } }, application(build)) {
                        List(3) { get("/page", login("alice")).status } shouldContainExactly listOf(200, 200, 429)
                        get("/page", login("bob")).body shouldBe "hello bob"
                    }
                }

                test("$name: limits of routes $nesting: failed logins are refused before the password is looked at") {
                    limited({ limit("page") { perIp(3.perHour) } }, application(build)) {
                        checked = 0
                        List(5) { get("/page", login("alice", "wrong $it")).status } shouldContainExactly listOf(401, 401, 401, 429, 429)
                        checked shouldBe 3
                    }
                }

                test("$name: limits of routes $nesting: failed logins are limited where there is nothing but a limit by user") {
                    limited({ limit("page") { perUser(3.perHour) } }, application(build)) {
                        checked = 0
                        // Users are not counted by their address once they are known.
                        List(3) { get("/page", login("alice")).status } shouldContainExactly listOf(200, 200, 200)
                        List(5) { get("/page", login("bob", "wrong $it")).status } shouldContainExactly listOf(401, 401, 401, 429, 429)
                        checked shouldBe 6
                    }
                }
            }

            test("$name: a rule by path: by user where there is one, and by address before") {
                limited({ rule("/page") { perUser(3.perHour) } }, application { authenticate { page() } }) {
                    List(4) { get("/page", login("alice")).status } shouldContainExactly listOf(200, 200, 200, 429)
                    get("/page", login("bob")).status shouldBe 200
                    List(4) { get("/page", login("eve", "wrong")).status } shouldContainExactly listOf(401, 401, 401, 429)
                }
            }

            val besides =
                mapOf<String, RuleConfig.() -> Unit>(
                    "API key" to { perApiKey(100.perHour) },
                    "a key that the caller names" to { per("tenant", 100.perHour) { it.request.headers["Tenant"] } },
                )
            for ((what, beside) in besides) {
                test("$name: failed logins are limited beside a limit by $what, a new one of which comes with each guess") {
                    limited({
                        rule("/page") {
                            perUser(3.perHour)
                            beside()
                        }
                    }, application { authenticate { page() } }) {
                        checked = 0
                        List(2) { get("/page", login("alice"), "X-API-Key" to "alice's", "Tenant" to "hers").status } shouldContainExactly
                            listOf(200, 200)
                        val guesses =
                            List(5) { get("/page", login("bob", "wrong $it"), "X-API-Key" to "key $it", "Tenant" to "tenant $it") }
                        guesses.map { it.status } shouldContainExactly listOf(401, 401, 401, 429, 429)
                        List(2) { get("/page", login("bob", "wrong")).status } shouldContainExactly listOf(429, 429)
                        checked shouldBe 5
                    }
                }
            }

            test("$name: a limit by endpoint or for all counts every call, so nobody is kept waiting for authentication besides") {
                limited({
                    rule("/page") {
                        perUser(1.perHour)
                        perEndpoint(100.perHour)
                    }
                }, application { authenticate { page() } }) {
                    List(5) { get("/page", login("bob", "wrong")).status }.distinct() shouldContainExactly listOf(401)
                    application.rateLimiting.peek("/page", "endpoint", "GET /page")[0].remaining() shouldBe 95
                }
            }

            test("$name: by user and by address in one rule: whichever refuses, the other is charged nothing") {
                limited({
                    rule("/page") {
                        perUser(2.perHour)
                        perIp(5.perHour)
                    }
                }, application { authenticate { page() } }) {
                    suspend fun left(
                        scope: String,
                        key: String,
                    ) = application.rateLimiting.peek("/page", scope, key)[0].remaining()
                    List(4) { get("/page", login("alice")).status } shouldContainExactly listOf(200, 200, 429, 429)
                    left("ip", "127.0.0.1") shouldBe 3
                    List(4) { get("/page", login("bob", "wrong")).status } shouldContainExactly listOf(401, 401, 401, 429)
                    get("/page", login("bob")).status shouldBe 429
                    left("user", "bob") shouldBe 2
                }
            }

            test("$name: what a call costs is its user's affair: before authentication it counts as one, too heavy for nobody") {
                val tiers = RateLimitTiers(RateLimitTier.FREE, RateLimitTier.ENTERPRISE) { it.principal<UserIdPrincipal>()?.name }
                limited({
                    rule("/page") {
                        perUser(tiers)
                        weight(10)
                    }
                }, application { authenticate { page() } }) {
                    List(20) { get("/page", login("enterprise")).status }.distinct() shouldContainExactly listOf(200)
                    List(2) { get("/page", login("alice")).status } shouldContainExactly listOf(200, 429)
                    List(11) { get("/page", login("eve", "wrong")).status } shouldContainExactly List(10) { 401 } + 429
                }
            }

            test("$name: whoever has no user pays by address what the call costs") {
                limited({
                    rule("/page") {
                        perUser(10.perHour)
                        weight(4)
                    }
                }, application { authenticate(optional = true) { page() } }) {
                    List(3) { get("/page").status } shouldContainExactly listOf(200, 200, 429)
                    application.rateLimiting.peek("/page", "user-by-ip", "127.0.0.1")[0].remaining() shouldBe 2
                }
            }

            test("$name: whoever is authenticated is told of the limit by user, not of that by address which others have used up") {
                limited({
                    warnAt = 0.9
                    rule("/page") { perUser(3.perHour) }
                }, application { authenticate { page() } }) {
                    repeat(2) { get("/page", login("eve", "wrong")).status shouldBe 401 }
                    val answer = get("/page", login("alice"))
                    answer["X-RateLimit-Scope"] shouldBe "user"
                    answer["X-RateLimit-Remaining"] shouldBe "2"
                    answer["RateLimit-Policy"] shouldBe "\"user\";q=3;w=3600"
                }
            }

            test("$name: a key of the principal, asked after authentication; a secret one is shown as a hash") {
                limited({
                    rule("/page") {
                        perIp(100.perHour)
                        per("name", 2.perHour, secret = true, afterAuthentication = true) { it.principal<UserIdPrincipal>()?.name }
                    }
                }, application { authenticate { page() } }) {
                    List(3) { get("/page", login("alice")).status } shouldContainExactly listOf(200, 200, 429)
                    get("/page", login("bob")).status shouldBe 200
                    application.rateLimiting.peek("/page", "name", "alice")[0].remaining() shouldBe 0
                    application.rateLimiting.metrics(1.hours).topKeys.none { "alice" in it.key } shouldBe true
                }
            }

            test("$name: without authentication, users are addresses") {
                limited({ rule("/page") { perUser(2.perHour) } }, { routing { page() } }) {
                    List(3) { get("/page").status } shouldContainExactly listOf(200, 200, 429)
                }
            }

            test("$name: a user that is known without authentication is asked for at once") {
                limited({
                    user(afterAuthentication = false) { it.request.headers["User"] }
                    rule("/page") { perUser(1.perHour) }
                }, { routing { page() } }) {
                    List(2) { get("/page", "User" to "alice").status } shouldContainExactly listOf(200, 429)
                    get("/page", "User" to "bob").status shouldBe 200
                    List(2) { get("/page").status } shouldContainExactly listOf(200, 429)
                }
            }

            test("$name: a principal without a name is not a user of its own in each call") {
                limited({ rule("/page") { perUser(2.perHour) } }, {
                    install(Authentication) { basic { validate { Any() } } }
                    routing { authenticate { get("/page") { call.respondText("in") } } }
                }) {
                    List(3) { get("/page", login("alice")).status } shouldContainExactly listOf(200, 200, 429)
                }
            }
        }
    })

package dev.ratelimit.ktor.server

import dev.ratelimit.NanoClock
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimit
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perMinute
import dev.ratelimit.jvm.perSecond
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.route
import io.ktor.server.routing.routing
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

class RateLimitingTest :
    FunSpec({
        for (engine in engines) {
            val name = engine.javaClass.simpleName

            test("$name: calls beyond the limit are refused until it has refilled") {
                limited({ rule("/*") { perIp(2.perMinute) } }, engine = engine) {
                    List(3) { get("/").status } shouldContainExactly listOf(200, 200, 429)
                    later(30.seconds)
                    List(2) { get("/").status } shouldContainExactly listOf(200, 429)
                }
            }

            test("$name: what no route answers is limited too") {
                limited({ rule("/*") { perIp(1.perMinute) } }, { routing { get("/there") { call.respondText("ok") } } }, engine) {
                    List(2) { get("/not/there").status } shouldContainExactly listOf(404, 429)
                }
            }
        }

        test("all limits of a rule grant, or none is charged") {
            limited({
                rule("/a/*") {
                    perIp(5.perHour)
                    global(2.perMinute)
                }
                rule("/b/*") { perIp(5.perHour) }
            }) {
                repeat(10) { get("/a/x") }
                // Two were granted by both; the other eight took nothing from the limit by address.
                application.rateLimiting.peek("/a/*", "ip", "127.0.0.1")[0].remaining() shouldBe 3
                application.rateLimiting.peek("/a/*", "global", null)[0].remaining() shouldBe 0
            }
        }

        test("the most specific rule rules alone, beside the one about everything; fallThrough lets the next one rule too") {
            limited({
                everywhere { global(100.perHour) }
                rule("/*") { global(10.perHour) }
                rule("/api/*") {
                    global(5.perHour)
                    fallThrough = true
                }
                rule("GET:/api/users/{id}") { global(3.perHour) }
            }) {
                get("/api/users/1")
                get("/api/other")
                get("/else")

                suspend fun used(rule: String) = application.rateLimiting.peek(rule, "global", null)[0].let {
                    it.limit().burst() -
                        it.remaining()
                }
                listOf("everywhere", "/*", "/api/*", "GET:/api/users/{id}").map { used(it) } shouldContainExactly listOf(3L, 2L, 1L, 1L)
            }
        }

        test("limits of routes: by name, around and inside others, beside those of their paths") {
            limited(
                {
                    rule("/api/*") { global(100.perHour) }
                    limit("search") { global(2.perHour) }
                    limit("outer") { global(3.perHour) }
                },
                {
                    routing {
                        rateLimited("outer") {
                            rateLimited("search") { get("/api/search") { call.respondText("found") } }
                            get("/api/other") { call.respondText("other") }
                        }
                    }
                },
            ) {
                List(3) { get("/api/search").status } shouldContainExactly listOf(200, 200, 429)
                // What the route's limit refused was given back to that of the path.
                application.rateLimiting.peek("/api/*", "global", null)[0].remaining() shouldBe 98
                List(2) { get("/api/other").status } shouldContainExactly listOf(200, 429)
            }
        }

        test("a bucket for each endpoint is one for each route, whatever its parameters are") {
            limited(
                { rule("/*") { perEndpoint(2.perHour) } },
                {
                    routing {
                        route("/users/{id}") { get { call.respondText("user") } }
                        get("/orders/{id}") { call.respondText("order") }
                    }
                },
            ) {
                listOf("/users/1", "/users/2", "/users/3", "/orders/1", "/none/1", "/none/2", "/none/3").map {
                    get(it).status
                } shouldContainExactly
                    listOf(200, 200, 429, 200, 404, 404, 429)
                application.rateLimiting.peek("/*", "endpoint", "GET /orders/{id}")[0].remaining() shouldBe 1
            }
        }

        test("a call costs its weight; one that costs more than can ever be granted is refused without a time to come back") {
            limited({
                rule("/*") {
                    perIp(10.perMinute)
                    weight { it.request.queryParameters["cost"]?.toLong() ?: 1 }
                }
            }) {
                get("/?cost=6").status shouldBe 200
                get("/?cost=6").status shouldBe 429
                get("/?cost=4").status shouldBe 200
                later(1.minutes)
                val never = get("/?cost=11")
                never.status shouldBe 429
                never["Retry-After"] shouldBe null
                // A mistake of the application's: the call fails, and is not let through.
                get("/?cost=-1").status shouldBe 500
                get("/?cost=10").status shouldBe 200
            }
        }

        test("tiers: limits by the call, the first for whoever has none; a change of tier keeps what is left") {
            val tiers = RateLimitTiers(RateLimitTier.FREE, RateLimitTier.PREMIUM) { it.request.headers["Plan"] }
            limited({ rule("/*") { perApiKey(tiers) } }) {
                val key = "X-API-Key" to "k"
                List(11) { get("/", key).status }.count { it == 200 } shouldBe 10
                get("/", key, "Plan" to "nonsense").status shouldBe 429
                // What was left, refilled at the rate of the other.
                get("/", key, "Plan" to "premium").status shouldBe 429
                later(6.seconds)
                List(6) { get("/", key, "Plan" to "Premium").status }.count { it == 200 } shouldBe 5
            }
        }

        test("the tiers that are ready, and own ones") {
            fun limits(tier: RateLimitTier) = tier.limits.map { listOf(it.permits(), it.period().toSeconds(), it.burst()) }
            limits(RateLimitTier.FREE) shouldContainExactly listOf(listOf(100L, 3_600L, 100L), listOf(10L, 60L, 10L))
            limits(RateLimitTier.PREMIUM) shouldContainExactly listOf(listOf(1_000L, 3_600L, 1_000L), listOf(50L, 60L, 100L))
            limits(RateLimitTier.ENTERPRISE) shouldContainExactly listOf(listOf(10_000L, 3_600L, 10_000L), listOf(200L, 60L, 500L))
            val gold = RateLimitTier("gold", 3.perHour)
            limited({
                apiKey { it.request.headers["Key"] }
                rule("/*") {
                    perIp(RateLimitTiers(RateLimitTier("bronze", 1.perHour), gold) { it.request.headers["Plan"] })
                    per("tenant", RateLimitTiers(gold, RateLimitTier.FREE) { null }) { it.request.headers["Tenant"] }
                    perApiKey(2.perHour)
                }
            }) {
                val plan = "Plan" to "GOLD"
                List(2) { get("/", "Key" to "k").status } shouldContainExactly listOf(200, 429)
                // A change of tier keeps what is left.
                get("/", plan, "Key" to "k").status shouldBe 429
                application.rateLimiting.reset("/*", "ip", "127.0.0.1")
                // The second call of the key, which has two an hour; then two of other keys, and the address has had its three.
                List(2) { get("/", plan, "Key" to "k").status } shouldContainExactly listOf(200, 429)
                listOf("l", "m", "n").map { get("/", plan, "Key" to it).status } shouldContainExactly listOf(200, 200, 429)
            }
        }

        test("limits of one scope with the same algorithm and period have a bucket each") {
            limited({ rule("/*") { perIp(4.perHour, 2.perHour) } }) {
                List(3) { get().status } shouldContainExactly listOf(200, 200, 429)
                application.rateLimiting.peek("/*", "ip", "127.0.0.1").map { it.remaining() } shouldContainExactly listOf(2L, 0L)
            }
        }

        test("a leaky bucket makes calls wait for their turn, and refuses those that do not fit in") {
            limited({ rule("/*") { perIp(RateLimit.leakyBucket(1_000, 1.seconds, 2)) } }) {
                List(3) { get("/").status } shouldContainExactly listOf(200, 200, 429)
            }
        }

        test("by any key of a call; calls without one are not meant") {
            limited({ rule("/*") { per("tenant", 1.perHour) { it.request.headers["Tenant"] } } }) {
                List(2) { get("/", "Tenant" to "a").status } shouldContainExactly listOf(200, 429)
                get("/", "Tenant" to "b").status shouldBe 200
                List(2) { get("/").status } shouldContainExactly listOf(200, 200)
            }
        }

        test("keys of any length and of any characters are told apart, and are no key of another limit (better-auth#7300)") {
            limited({
                rule("/*") {
                    per("tenant", 1.perHour) { it.request.queryParameters["t"] }
                }
            }) {
                val long = "x".repeat(5_000)
                for (key in listOf(long + "a", long + "b", "%00", "%0A", "a%7Cb", "a%3Ab", "%7B%7D", "")) {
                    List(2) { get("/?t=$key").status } shouldContainExactly listOf(200, 429)
                }
            }
        }

        test("two keys in one call are two keys, however they are put together (better-auth#7300)") {
            limited({
                rule("/*") { per("pair", 1.perHour) { call -> listOf("a", "b").map { call.request.queryParameters[it] } } }
            }) {
                listOf("/?a=x:y&b=z", "/?a=x&b=y:z", "/?a=x:y&b=z").map { get(it).status } shouldContainExactly listOf(200, 200, 429)
            }
        }

        test("a flood of addresses takes bounded memory, is served, and gives nobody his burst again (KTOR-5872)") {
            val memory = MemoryStore(NanoClock { 0 }, maxKeys = 1_000)
            limited({
                store = memory
                trustedProxies("127.0.0.1")
                rule("/*") { perIp(2.perHour) }
            }) {
                fun from(address: String) = get("/", "X-Forwarded-For" to address).status
                List(3) { from("203.0.113.7") } shouldContainExactly listOf(200, 200, 429)
                atOnce(5_000) { from("10.0.${it / 250}.${it % 250}") }.distinct() shouldContainExactly listOf(200)
                memory.size shouldBeLessThanOrEqual 1_000
                from("203.0.113.7") shouldBe 429
            }
        }

        test("a key without a text of its own fails the call, for it would be a new bucket each time") {
            limited({ rule("/*") { per("odd", 1.perSecond) { Any() } } }) { get("/").status shouldBe 500 }
        }
    })

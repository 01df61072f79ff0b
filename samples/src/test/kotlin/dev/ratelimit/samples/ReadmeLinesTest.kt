@file:Suppress("WildcardImport", "ktlint:standard:no-wildcard-imports")

package dev.ratelimit.samples

import dev.ratelimit.*
import dev.ratelimit.jvm.*
import dev.ratelimit.ktor.server.*
import dev.ratelimit.ktor.server.RateLimitTier.Companion.ENTERPRISE
import dev.ratelimit.ktor.server.RateLimitTier.Companion.FREE
import dev.ratelimit.ktor.server.RateLimitTier.Companion.PREMIUM
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.ktor.client.HttpClient
import io.ktor.client.request.get
import io.ktor.client.request.header
import io.ktor.client.request.post
import io.ktor.server.application.ApplicationCall
import io.ktor.server.application.install
import io.ktor.server.cio.CIO
import io.ktor.server.engine.embeddedServer
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import io.ktor.client.engine.cio.CIO as ClientCIO

/** The README's lines with the README's imports: they compile, and mean what they say. */
class ReadmeLinesTest :
    FunSpec({
        test("a limiter in memory") {
            val sec = RateLimiter("sec.gov", 10.perSecond)
            listOf("a", "b").map { url -> sec.withPermit { url.uppercase() } } shouldBe listOf("A", "B")
            sec.acquire(permits = 3, maxWait = 5.seconds).isAllowed shouldBe true
            val result = sec.tryAcquire()
            if (!result.isAllowed) println("retry in ${result.retryAfter}")
            val limited = sec.wrap { url: String -> url.uppercase() }
            limited("c") shouldBe "C"
        }

        test("keys, several limits, and limits of each kind") {
            val perUser = KeyedRateLimiter<String>("users", RateLimit.perMinute(60).withBurst(90))
            perUser["alice"].tryAcquire().isAllowed shouldBe true
            val store = MemoryStore()
            val keyed = KeyedRateLimiter<String>("users", RateLimit.perMinute(60), store = store)
            val total = RateLimiter("total", 1.perSecond, store = store)
            RateLimiters.allOf(keyed["alice"], total).acquire().isAllowed shouldBe true
            RateLimiter("api", 10.perSecond, 1_000.perHour).limits() shouldBe listOf(10.perSecond, 1_000.perHour)
            val limit: RateLimit = RateLimit.fixedWindow(5, 5.minutes)
            limit shouldBe RateLimit.parse("5/5m fixed-window")
            RateLimit.perSecond(0.5).period shouldBe 2.seconds
        }

        test("a server") {
            fun planOf(call: ApplicationCall) = call.request.headers["Plan"]

            fun isAdmin(call: ApplicationCall) = call.request.headers["Authorization"] == "me"
            val server =
                embeddedServer(CIO, port = 0, host = "127.0.0.1") {
                    install(RateLimiting) {
                        rule("POST:/auth/*") {
                            perIp(RateLimit.fixedWindow(5, 5.minutes))
                            perIp(RateLimit.slidingLog(10, 1.hours))
                        }
                        rule("/api/*") {
                            perUser(1_000.perHour)
                            perIp(100.perMinute.withBurst(150))
                            global(RateLimit.slidingWindow(10_000, 1.minutes))
                        }
                        limit("search") {
                            perApiKey(RateLimitTiers(FREE, PREMIUM, ENTERPRISE) { call -> planOf(call) })
                            perIp(500.perMinute)
                        }
                        trustedProxies("10.0.0.0/8")
                        admin {
                            challenge = "Basic realm=\"rate limits\""
                            authorize { call -> isAdmin(call) }
                        }
                    }
                    routing {
                        rateLimited("search") { get("/search") { call.respondText("found") } }
                    }
                }.start()
            try {
                val url = "http://127.0.0.1:${server.engine.resolvedConnectors().first().port}"
                HttpClient(ClientCIO).use { client ->
                    List(6) { client.post("$url/auth/login").status.value } shouldBe List(5) { 404 } + 429
                    List(11) { client.get("$url/search") { header("X-API-Key", "k") }.status.value } shouldBe List(10) { 200 } + 429
                    client.get("$url/api/x").headers["X-RateLimit-Limit"] shouldBe "150"
                    client.get("$url/rate-limits/health").headers["WWW-Authenticate"] shouldBe "Basic realm=\"rate limits\""
                    client.get("$url/rate-limits/health") { header("Authorization", "me") }.status.value shouldBe 200
                }
            } finally {
                server.stop(0, 0)
            }
        }
    })

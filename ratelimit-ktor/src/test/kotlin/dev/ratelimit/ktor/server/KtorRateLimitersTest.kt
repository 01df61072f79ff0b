package dev.ratelimit.ktor.server

import dev.ratelimit.NanoClock
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimit
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.perHour
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import io.ktor.server.application.install
import io.ktor.server.cio.CIO
import io.ktor.server.engine.embeddedServer
import io.ktor.server.plugins.ratelimit.RateLimitName
import io.ktor.server.plugins.ratelimit.rateLimit
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import kotlinx.coroutines.test.runTest
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import io.ktor.server.plugins.ratelimit.RateLimit as KtorRateLimit
import io.ktor.server.plugins.ratelimit.RateLimiter as KtorRateLimiter

class KtorRateLimitersTest :
    FunSpec({
        test("Ktor's own plugin asks a limiter of this library") {
            val limiters = KeyedRateLimiter<String>("users", 2.perHour)
            val server =
                embeddedServer(CIO, port = 0, host = "127.0.0.1") {
                    install(KtorRateLimit) {
                        register(RateLimitName("users")) {
                            requestKey { it.request.headers["User"] ?: "nobody" }
                            rateLimiter { _, key -> limiters["$key"].asKtorRateLimiter() }
                        }
                    }
                    routing { rateLimit(RateLimitName("users")) { get("/") { call.respondText("ok") } } }
                }.start()
            try {
                val rig = Rig(server.engine.resolvedConnectors().first().port, server.application, AtomicLong())
                List(3) { rig.get("/", "User" to "alice").status } shouldContainExactly listOf(200, 200, 429)
                rig.get("/", "User" to "bob").status shouldBe 200
            } finally {
                server.stop(0, 0)
            }
        }

        test("what a limiter answers, in Ktor's words") {
            runTest {
                val store = MemoryStore(NanoClock { 0 })
                val limiter = RateLimiter("a", RateLimit.fixedWindow(3, 1.minutes), store = store).asKtorRateLimiter()
                val available = limiter.tryConsume(2).shouldBeInstanceOf<KtorRateLimiter.State.Available>()
                available.remainingTokens shouldBe 1
                available.limit shouldBe 3
                limiter.tryConsume(2).shouldBeInstanceOf<KtorRateLimiter.State.Exhausted>().toWait shouldBe 60.seconds
                shouldThrow<IllegalArgumentException> { limiter.tryConsume(-1) }
                shouldThrow<IllegalArgumentException> { limiter.tryConsume(4) }
            }
        }
    })

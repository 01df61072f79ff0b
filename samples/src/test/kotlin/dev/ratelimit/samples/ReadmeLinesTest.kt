@file:Suppress("WildcardImport", "ktlint:standard:no-wildcard-imports")

package dev.ratelimit.samples

import dev.ratelimit.*
import dev.ratelimit.jvm.*
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

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
    })

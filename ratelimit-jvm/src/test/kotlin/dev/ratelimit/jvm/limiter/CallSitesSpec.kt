@file:Suppress("ktlint:standard:no-wildcard-imports", "WildcardImport")

package dev.ratelimit.jvm.limiter

import dev.ratelimit.*
import dev.ratelimit.jvm.*
import dev.ratelimit.spi.RateLimitStore
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.test.runTest
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** The lines that users of Kotlin write, as the README shows them, with the two star imports that it asks for. */
internal class CallSitesSpec :
    FunSpec({
        test("the lines of the README") {
            runTest {
                val urls = listOf("a", "b")
                val pages = mutableListOf<String>()
                val client =
                    object {
                        @Suppress("RedundantSuspendModifier")
                        suspend fun get(url: String) = pages.add(url)
                    }
                val redis: RateLimitStore = WireStore()

                val sec = RateLimiter("sec.gov", 10.perSecond)
                urls.forEach { url -> sec.withPermit { client.get(url) } }
                sec.acquire(permits = 3, maxWait = 5.seconds)
                val result = sec.tryAcquire()
                if (!result.isAllowed) println("retry in ${result.retryAfter}")

                val perUser = KeyedRateLimiter<String>("users", RateLimit.perMinute(60).withBurst(90), store = redis)
                perUser["alice"].tryAcquire()
                RateLimiter("api", 10.perSecond, 1_000.perHour)

                pages shouldBe urls
                result.isAllowed shouldBe true
                perUser["alice"].peek().remaining shouldBe 89
                perUser["bob"].peek().remaining shouldBe 90
            }
        }

        test("rates of whole and of broken numbers") {
            10.perSecond shouldBe RateLimit.tokenBucket(10, 1.seconds)
            10.perMinute shouldBe RateLimit.tokenBucket(10, 1.minutes)
            1_000.perHour shouldBe RateLimit.tokenBucket(1_000, 1.hours)
            4.perDay shouldBe RateLimit.tokenBucket(4, 24.hours)
            0.5.perSecond shouldBe RateLimit.every(2.seconds)
            0.5.perMinute shouldBe RateLimit.every(2.minutes)
            2.5.perHour shouldBe RateLimit.tokenBucket(5, 2.hours).withBurst(2)
            0.25.perDay shouldBe RateLimit.every(96.hours)
            100.perMinute.withBurst(150) shouldBe RateLimit.parse("100/1m burst 150")
        }

        test("the factories take Kotlin's durations and Java's") {
            val javaMinutes = java.time.Duration.ofMinutes(5)
            RateLimit.fixedWindow(5, 5.minutes) shouldBe RateLimit.fixedWindow(5, javaMinutes)
            RateLimit.slidingLog(10, 1.hours).period shouldBe 1.hours
            RateLimit.slidingLog(10, javaMinutes).period shouldBe 5.minutes
            RateLimit.slidingWindow(10_000, 1.minutes).period() shouldBe java.time.Duration.ofMinutes(1)
            RateLimit.slidingWindow(10_000, javaMinutes) shouldBe RateLimit.parse("10000/5m sliding-window")
            RateLimit.leakyBucket(10, 1.seconds, 100) shouldBe RateLimit.parse("10/s leaky-bucket burst 100")
            RateLimit.leakyBucket(10, javaMinutes, 100).burst() shouldBe 100
            RateLimit.tokenBucket(10, javaMinutes) shouldBe RateLimit.parse("10/5m")
            RateLimit.every(javaMinutes) shouldBe RateLimit.every(5.minutes)
            RateLimit.perSecond(10) shouldBe RateLimit.perSecond(10.0)
            RateLimit.perMinute(60) shouldBe RateLimit.perMinute(60.0)
            RateLimit.perHour(1_000) shouldBe RateLimit.perHour(1_000.0)
            RateLimit.perDay(4) shouldBe RateLimit.perDay(4.0)
        }

        test("RateLimit is still a type beside the factory of the same name") {
            fun burstOf(limit: RateLimit): Long = limit.burst()
            val limits: List<RateLimit> = listOf(RateLimit.perSecond(10))
            limits.map(::burstOf) shouldBe listOf(10L)
        }

        test("a result speaks Kotlin") {
            val queue = RateLimiter("queue", RateLimit.leakyBucket(10, 1.seconds, 2), store = MemoryStore(ManualClock()))
            queue.tryAcquire()
            val result: RateLimitResult = queue.tryAcquire()
            result.delay shouldBe 100.milliseconds
            result.remaining shouldBe 0
            result.resetAfter shouldBe 200.milliseconds
            result.limit shouldBe RateLimit.leakyBucket(10, 1.seconds, 2)
            queue.tryAcquire().retryAfter shouldBe 100.milliseconds
        }

        test("a local limiter answers without suspending; any limiter answers in a coroutine") {
            val local: LocalRateLimiter = RateLimiter("db", 100.perSecond, store = MemoryStore(ManualClock()))
            local.tryAcquire().isAllowed shouldBe true
            local.tryAcquire(9).remaining shouldBe 90
            local.settle(estimated = 10, actual = 5)
            local.peek().remaining shouldBe 95
            local.reset()
            val any: RateLimiter = local
            runTest {
                any.tryAcquire().isAllowed shouldBe true
                any.tryAcquire(permits = 9).remaining shouldBe 90
                any.tryAcquire(maxWait = 1.seconds).remaining shouldBe 89
                any.tryAcquire(9, 1.seconds).remaining shouldBe 80
                any.acquire().remaining shouldBe 79
                any.acquire(9).remaining shouldBe 70
                any.acquire(maxWait = Duration.ZERO).remaining shouldBe 69
                any.settle(estimated = 31, actual = 30)
                any.peek().remaining shouldBe 70
                any.reset()
                any.peek().remaining shouldBe 100
            }
        }

        test("a refusal is an exception with the result, or the result") {
            val limiter = RateLimiter("few", 1.perHour, store = MemoryStore(ManualClock()))
            limiter.tryAcquire().orThrow()
            runTest {
                val refused = shouldThrow<RateLimitExceededException> { limiter.acquire(maxWait = 5.seconds) }
                refused.result.retryAfter shouldBe 1.hours
                refused.result.refusal() shouldBe Refusal.MAX_WAIT
                limiter.tryAcquire(maxWait = 5.seconds) shouldBe refused.result
                testScheduler.currentTime shouldBe 0
            }
        }
    })

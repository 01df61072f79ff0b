package dev.ratelimit.jvm.limiter

import dev.ratelimit.Algorithm
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimit
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perMinute
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.jvm.retryAfter
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.async
import kotlinx.coroutines.supervisorScope
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import dev.ratelimit.RateLimit as Limit

/** Limits that change keep what was used. */
internal class SetLimitsSpec :
    FunSpec({
        fun limiter(vararg limits: Limit) = RateLimiter("changing", *limits, store = MemoryStore(ManualClock()))

        test("a token bucket keeps its tokens when the burst grows, and when it shrinks") {
            val limiter = limiter(10.perSecond.withBurst(100))
            limiter.tryAcquire(40)
            // Peeks change nothing: the tokens that do not fit a smaller burst go with the first call under it.
            for ((burst, tokens) in listOf(200L to 60L, 61L to 60L, 50L to 50L, 5L to 5L, 100L to 60L)) {
                limiter.setLimits(10.perSecond.withBurst(burst))
                withClue("burst $burst") { limiter.peek().remaining() shouldBe tokens }
            }
            limiter.setLimits(10.perSecond.withBurst(5))
            limiter.tryAcquire().remaining() shouldBe 4
            limiter.setLimits(10.perSecond.withBurst(100))
            limiter.peek().remaining() shouldBe 4
        }

        test("a full bucket stays full in both directions") {
            val limiter = limiter(10.perSecond)
            for (limit in listOf(20.perSecond, 5.perSecond, 1_000.perHour, RateLimit.fixedWindow(7, 1.minutes))) {
                limiter.setLimits(limit)
                limiter.peek().remaining() shouldBe limit.burst()
            }
        }

        test("fractions of a token and debt are kept in tokens, not in time") {
            val clock = ManualClock()
            val limiter = RateLimiter("changing", 10.perSecond, store = MemoryStore(clock))
            limiter.tryAcquire(10)
            clock += 50.milliseconds
            limiter.setLimits(1.perSecond)
            limiter.tryAcquire().retryAfter shouldBe 500.milliseconds
            limiter.settle(0, 2)
            limiter.tryAcquire().retryAfter shouldBe 2_500.milliseconds
            limiter.setLimits(10.perSecond)
            limiter.tryAcquire().retryAfter shouldBe 250.milliseconds
        }

        test("windows, logs and leaky buckets keep their counts") {
            for ((from, to) in listOf(
                RateLimit.fixedWindow(10, 1.hours) to RateLimit.fixedWindow(12, 1.hours),
                RateLimit.slidingWindow(10, 1.hours) to RateLimit.slidingWindow(12, 1.hours),
                RateLimit.slidingLog(10, 1.hours) to RateLimit.slidingLog(12, 1.hours),
                RateLimit.leakyBucket(1, 1.hours, 10) to RateLimit.leakyBucket(1, 1.hours, 12),
            )) {
                withClue(from) {
                    val limiter = limiter(from)
                    limiter.tryAcquire(7)
                    limiter.setLimits(to)
                    limiter.peek().remaining() shouldBe 5
                    limiter.setLimits(from.withBurst(10))
                    limiter.peek().remaining() shouldBe 3
                }
            }
        }

        test("another algorithm takes over what was used") {
            for (from in Algorithm.entries) {
                for (to in Algorithm.entries) {
                    withClue("$from to $to") {
                        val limiter = limiter(Limit.parse("10/h $from burst 10"))
                        limiter.tryAcquire(4)
                        limiter.setLimits(Limit.parse("10/h $to burst 10"))
                        limiter.peek().remaining() shouldBe 6
                    }
                }
            }
        }

        test("a limit that stays keeps its bucket wherever it moves, and one that changed takes over the one most alike") {
            val clock = ManualClock()
            val limiter = RateLimiter("changing", 10.perSecond, 100.perHour, store = MemoryStore(clock))
            repeat(9) {
                limiter.tryAcquire(10)
                clock += 1.seconds
            }
            limiter.setLimits(100.perHour, 10.perSecond)
            limiter.peek().remaining() shouldBe 10
            limiter.setLimits(5.perSecond, 90.perHour)
            limiter.peek().run { remaining() to limit() } shouldBe (5L to 5.perSecond)
            repeat(2) {
                limiter.tryAcquire(5).isAllowed shouldBe true
                clock += 1.seconds
            }
            limiter.tryAcquire().limit() shouldBe 90.perHour
            limiter.setLimits(90.perHour, 1_000.perMinute, 5.perSecond)
            limiter.tryAcquire().limit() shouldBe 90.perHour
        }

        test("the limits of all keys change, also for handles that exist") {
            val users = KeyedRateLimiter<String>("users", 10.perHour, store = MemoryStore(ManualClock()))
            val alice = users["alice"]
            alice.tryAcquire(4)
            users.setLimits(20.perHour)
            alice.limits() shouldBe listOf(20.perHour)
            alice.peek().remaining() shouldBe 6
            users["bob"].peek().remaining() shouldBe 20
            alice.setLimits(5.perHour)
            users.limits() shouldBe listOf(5.perHour)
        }

        // redis-cell#54, redisson#4663, #5098, #5487
        test("after a rate change neither does the old rate rule nor are permits reset: 10/s and 20/s in turn, under load") {
            for ((slow, fast) in listOf(10.perSecond to 20.perSecond, 10.perSecond.withBurst(10) to 20.perSecond.withBurst(10))) {
                val clock = ManualClock()
                val limiter = RateLimiter("changing", slow, store = MemoryStore(clock))
                var thousandths = 10_000L
                var admitted = 0L
                var limit = slow
                repeat(60_000) { millisecond ->
                    if (millisecond % 137 == 136) {
                        limit = if (limit == slow) fast else slow
                        limiter.setLimits(limit)
                    }
                    while (limiter.tryAcquire().isAllowed) admitted++
                    clock += 1.milliseconds
                    thousandths += limit.permits()
                    admitted shouldBeInRange (thousandths / 1_000 - 1)..(thousandths / 1_000)
                }
            }
        }

        test("a waiter whom the new limit can never serve is told so, and those behind move up") {
            runTest {
                supervisorScope {
                    val limiter = RateLimiter("changing", 20.perSecond, store = MemoryStore(clock))
                    limiter.tryAcquire(20)
                    val large = async { limiter.acquire(15) }
                    val small = async { limiter.acquire() }
                    runCurrent()
                    limiter.setLimits(10.perSecond)
                    shouldThrow<IllegalArgumentException> { large.await() }.message shouldContain "permits 15 can never be granted"
                    small.await().isAllowed shouldBe true
                    testScheduler.currentTime shouldBe 100
                    limiter.peek().remaining() shouldBe 0
                }
            }
        }
    })

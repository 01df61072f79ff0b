package dev.ratelimit.jvm.line

import dev.ratelimit.Refusal
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.perSecond
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeSorted
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlin.time.Duration.Companion.milliseconds

internal class FirstInFirstOutTest :
    FunSpec({
        test("a hundred single waiters and then one for ten permits are served in order while others hammer tryAcquire") {
            runTest {
                val limiter = RateLimiter("line", 100.perSecond.withBurst(10), store = MemoryStore(clock))
                limiter.tryAcquire(10).isAllowed shouldBe true
                val served = mutableListOf<Int>()
                repeat(100) { i ->
                    launch {
                        limiter.acquire()
                        served += i
                    }
                }
                launch {
                    limiter.acquire(10)
                    served += 100
                }
                runCurrent()
                var overtaken = 0
                repeat(1_099) {
                    if (limiter.tryAcquire().isAllowed) overtaken++
                    delay(1.milliseconds)
                }
                served.size shouldBe 100
                delay(1.milliseconds)
                runCurrent()
                served shouldBe (0..100).toList()
                testScheduler.currentTime shouldBe 1_100
                overtaken shouldBe 0
            }
        }

        test("tryAcquire does not overtake, although the permits are there, and says how long those ahead take") {
            runTest {
                val limiter = RateLimiter("line", 10.perSecond, store = MemoryStore(clock))
                limiter.tryAcquire(10)
                val big = launch { limiter.acquire(10) }
                delay(500.milliseconds)
                // Five permits are there, and belong to the one who waits for ten.
                val refused = limiter.tryAcquire()
                refused.isAllowed shouldBe false
                refused.refusal() shouldBe Refusal.LIMIT
                refused.remaining() shouldBe 0
                refused.retryAfterNanos() shouldBe 600 * NANOS_PER_MILLI
                limiter.peek().retryAfterNanos() shouldBe refused.retryAfterNanos()
                big.join()
                testScheduler.currentTime shouldBe 1_000
            }
        }

        test("the lines of different keys do not hold each other up") {
            runTest {
                val limiters = KeyedRateLimiter<String>("hosts", 1.perSecond, store = MemoryStore(clock))
                val served = mutableListOf<Pair<String, Long>>()
                for (host in listOf("a", "a", "a", "b", "b")) {
                    launch {
                        limiters[host].acquire()
                        served += host to testScheduler.currentTime
                    }
                }
                testScheduler.advanceUntilIdle()
                served shouldBe listOf("a" to 0L, "b" to 0L, "a" to 1_000L, "b" to 1_000L, "a" to 2_000L)
            }
        }

        test("nobody is resumed before the turn by even a nanosecond: resilience4j-kotlin's truncation to milliseconds") {
            runTest {
                // 3 a second: turns at 333,333,334 and 666,666,667 ns, which no millisecond meets.
                val limiter = RateLimiter("line", 3.perSecond, store = MemoryStore(clock))
                limiter.tryAcquire(3)
                val turns = mutableListOf<Long>()
                repeat(300) {
                    launch {
                        limiter.acquire()
                        turns += testScheduler.currentTime * NANOS_PER_MILLI
                    }
                }
                testScheduler.advanceUntilIdle()
                turns.shouldBeSorted()
                turns.forEachIndexed { i, at -> at shouldBeGreaterThanOrEqual ((i + 1) * 1_000_000_000L + 2) / 3 }
                turns.last() shouldBe 100_000 * NANOS_PER_MILLI
            }
        }
    })

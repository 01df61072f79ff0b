package dev.ratelimit.jvm.line

import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.RateLimiterRegistry
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perSecond
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlin.time.Duration.Companion.milliseconds

internal class RetimingTest :
    FunSpec({
        fun TestScope.servedAt(
            scope: CoroutineScope,
            count: Int,
            acquire: suspend () -> Unit,
        ): List<Long> =
            mutableListOf<Long>().also { served ->
                repeat(count) {
                    scope.launch {
                        acquire()
                        served += testScheduler.currentTime
                    }
                }
                runCurrent()
            }

        test("a raised limit wakes those who wait for the old one") {
            runTest {
                val limiter = RateLimiter("line", 1.perHour, store = MemoryStore(clock))
                limiter.tryAcquire()
                val served = servedAt(this, 3) { limiter.acquire() }
                delay(1_000.milliseconds)
                limiter.setLimits(10.perSecond.withBurst(1))
                testScheduler.advanceUntilIdle()
                // The token that was 1/3600 there stays; the rest comes at the new rate.
                served shouldBe listOf(1_100L, 1_200L, 1_300L)
            }
        }

        test("a tightened limit holds back those who wait for the old one") {
            runTest {
                val registry = RateLimiterRegistry(MemoryStore(clock))
                val limiter = registry.limiter("line", 10.perSecond.withBurst(1))
                limiter.tryAcquire()
                val served = servedAt(this, 2) { limiter.acquire() }
                delay(50.milliseconds)
                registry.tighten("line", 1.perSecond)
                testScheduler.advanceUntilIdle()
                served shouldBe listOf(550L, 1_550L)
            }
        }

        test("permits that are given back, or forgotten, wake those who wait") {
            runTest {
                val limiters = KeyedRateLimiter<Int>("line", 1.perHour.withBurst(10), store = MemoryStore(clock))
                limiters[1].tryAcquire(10)
                val served = servedAt(this, 3) { limiters[1].acquire() }
                delay(10.milliseconds)
                limiters[1].settle(10, 9)
                delay(10.milliseconds)
                limiters[2].reset()
                delay(10.milliseconds)
                limiters[1].reset()
                delay(10.milliseconds)
                served shouldBe listOf(10L, 30L, 30L)
            }
        }
    })

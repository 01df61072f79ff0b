package dev.ratelimit.jvm.line

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.jvm.tryAcquire
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import java.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** `delay` counts whole milliseconds, so at 2,000 a second every timer of the line fires half a millisecond late. */
internal class ScheduleTimeTest :
    FunSpec({
        fun atTwoThousandASecond(callers: Int) =
            runTest {
                val limiter = RateLimiter("line", 2_000.perSecond.withBurst(1), store = MemoryStore(clock))
                val grants = mutableListOf<Long>()
                val jobs =
                    List(callers) {
                        launch {
                            while (true) {
                                limiter.acquire()
                                grants += testScheduler.currentTime * NANOS_PER_MILLI
                            }
                        }
                    }
                delay(10_000.milliseconds)
                jobs.forEach { it.cancel() }
                grants.forEachIndexed { i, at -> at shouldBeGreaterThanOrEqual i * 500_000L }
                grants.size.toLong() shouldBeInRange 19_999L..20_001L
            }

        test("timers that fire late cost no throughput when many wait") { atTwoThousandASecond(callers = 16) }

        test("timers that fire late cost no throughput when one caller asks again and again") { atTwoThousandASecond(callers = 1) }

        test("what a stall longer than ten milliseconds missed is not made up for") {
            runTest {
                var stall = 0L
                val limiter =
                    RateLimiter(
                        "line",
                        1_000.perSecond.withBurst(1),
                        store = MemoryStore(NanoClock { testScheduler.currentTime * NANOS_PER_MILLI + stall }),
                    )
                val grants = mutableListOf<Long>()
                val job =
                    launch {
                        while (true) {
                            limiter.acquire()
                            grants += testScheduler.currentTime
                        }
                    }
                delay(10.milliseconds)
                grants.size shouldBe 10
                stall = 60_000 * NANOS_PER_MILLI
                delay(1.milliseconds)
                job.cancel()
                // The permits of the last 10 ms of that minute, and the one of this millisecond; not sixty thousand.
                (grants.size - 10).toLong() shouldBeInRange 9L..12L
            }
        }

        test("a permit that came while the schedule is behind the clock is granted to the next call at once") {
            runTest {
                var stall = 0L
                val limiter =
                    RateLimiter(
                        "line",
                        100.perSecond.withBurst(1),
                        store = MemoryStore(NanoClock { testScheduler.currentTime * NANOS_PER_MILLI + stall }),
                    )
                limiter.acquire()
                val late = launch { limiter.acquire() }
                runCurrent()
                // Its timer fires 8 ms late. Its turn was at 10 ms, so the next permit is there at 20 ms.
                stall = 8 * NANOS_PER_MILLI
                late.join()
                stall = 14 * NANOS_PER_MILLI
                limiter.peek().isAllowed shouldBe true
                limiter.tryAcquire(maxWait = 0.milliseconds).isAllowed shouldBe true
                limiter.tryAcquire(maxWait = 0.milliseconds).retryAfterNanos() shouldBe 6 * NANOS_PER_MILLI
            }
        }

        test("windows and logs are charged when they are used, not when they were due: their promise is about real windows") {
            runTest {
                val limiter = RateLimiter("line", RateLimit.slidingLog(1, Duration.ofNanos(1_500_000)), store = MemoryStore(clock))
                val grants = mutableListOf<Long>()
                repeat(10) {
                    launch {
                        limiter.acquire()
                        grants += testScheduler.currentTime
                    }
                }
                testScheduler.advanceUntilIdle()
                grants shouldBe List(10) { it * 2L }
            }
        }

        test("after an hour without calls the burst is there and no more: uber-go/ratelimit's slack") {
            runTest {
                val limiter = RateLimiter("line", 2_000.perSecond.withBurst(5), store = MemoryStore(clock))
                repeat(100) { limiter.acquire() }
                delay(3_600_000.milliseconds)
                val before = testScheduler.currentTime
                repeat(5) { limiter.acquire() }
                testScheduler.currentTime shouldBe before
                limiter.tryAcquire().isAllowed shouldBe false
            }
        }
    })

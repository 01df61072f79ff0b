package dev.ratelimit.jvm.line

import dev.ratelimit.RateLimitExceededException
import dev.ratelimit.Refusal
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.jvm.tryAcquire
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

internal class LeavingTest :
    FunSpec({
        test("a hopeless wait is refused at once, with the wait that those ahead and the limit make: resilience4j#2194") {
            runTest {
                val limiter = RateLimiter("line", 1.perSecond, store = MemoryStore(clock))
                limiter.tryAcquire()
                repeat(3) { launch { limiter.acquire() } }
                runCurrent()
                val refusal = limiter.tryAcquire(1, maxWait = 3_999.milliseconds)
                refusal.refusal() shouldBe Refusal.MAX_WAIT
                refusal.retryAfterNanos() shouldBe 4_000 * NANOS_PER_MILLI
                shouldThrow<RateLimitExceededException> { limiter.acquire(maxWait = 3_999.milliseconds) }.result shouldBe refusal
                testScheduler.currentTime shouldBe 0
                limiter.tryAcquire(1, maxWait = 4.seconds).isAllowed shouldBe true
                testScheduler.currentTime shouldBe 4_000
            }
        }

        test("who leaves the line at whatever place costs nothing, and those behind move up") {
            for (leaver in 0..4) {
                runTest {
                    val store = RecordingStore(clock)
                    val limiter = RateLimiter("line", 1.perSecond, store = store)
                    limiter.tryAcquire()
                    val served = mutableListOf<Pair<Int, Long>>()
                    val jobs =
                        List(5) { i ->
                            launch {
                                limiter.acquire()
                                served += i to testScheduler.currentTime
                            }
                        }
                    delay(500.milliseconds)
                    jobs[leaver].cancelAndJoin()
                    testScheduler.advanceUntilIdle()
                    served shouldBe ((0..4) - leaver).mapIndexed { place, i -> i to (place + 1) * 1_000L }
                    store.charged shouldBe 5
                }
            }
        }

        test("a waiter behind others gives up when its time is over, and says so") {
            runTest {
                val limiter = RateLimiter("line", 10.perSecond, store = MemoryStore(clock))
                limiter.tryAcquire(10)
                launch { limiter.acquire(10) }
                val behind = async { limiter.tryAcquire(1, maxWait = 1_100.milliseconds) }
                runCurrent()
                // Ten permits of debt put everybody off by a second; the one behind cannot know, and waits until its time is over.
                limiter.settle(0, 10)
                val result = behind.await()
                testScheduler.currentTime shouldBe 1_100
                result.refusal() shouldBe Refusal.MAX_WAIT
                (result.retryAfterNanos() > 0) shouldBe true
            }
        }

        test("a head whose turn moves beyond its time is refused at once") {
            runTest {
                val limiter = RateLimiter("line", 10.perSecond, store = MemoryStore(clock))
                limiter.tryAcquire(10)
                val head = async { limiter.tryAcquire(1, maxWait = 200.milliseconds) }
                runCurrent()
                limiter.settle(0, 10)
                head.await().refusal() shouldBe Refusal.MAX_WAIT
                testScheduler.currentTime shouldBe 0
            }
        }

        test("the caller's own cancellation is not swallowed by the time-out of a wait: bluetape4k#805") {
            runTest {
                val limiter = RateLimiter("line", 1.perSecond, store = MemoryStore(clock))
                limiter.tryAcquire()
                launch { limiter.acquire() }
                runCurrent()
                var ended: Throwable? = null
                val job =
                    launch {
                        try {
                            limiter.tryAcquire(1, maxWait = 60.seconds)
                        } catch (e: CancellationException) {
                            ended = e
                            throw e
                        }
                    }
                runCurrent()
                job.cancel(CancellationException("the caller's own"))
                job.join()
                ended?.message shouldBe "the caller's own"
                withTimeoutOrNull(500.milliseconds) { limiter.acquire() } shouldBe null
                shouldThrow<CancellationException> { withTimeout(100.milliseconds) { limiter.acquire() } }
            }
        }

        test("past the bound of the line the refusal is typed, comes at once, and charges nothing") {
            runTest {
                val limiter = RateLimiter("line", 1.perSecond, store = MemoryStore(clock), maxWaiters = 2)
                limiter.tryAcquire()
                repeat(2) { launch { limiter.acquire() } }
                runCurrent()
                val full = shouldThrow<RateLimitExceededException> { limiter.acquire() }
                full.result.refusal() shouldBe Refusal.LINE_FULL
                full.result.retryAfterNanos() shouldBe 3_000 * NANOS_PER_MILLI
                delay(1_000.milliseconds)
                runCurrent()
                limiter.acquire()
                testScheduler.currentTime shouldBe 3_000
            }
        }
    })

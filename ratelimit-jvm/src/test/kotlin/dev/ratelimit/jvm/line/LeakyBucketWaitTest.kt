package dev.ratelimit.jvm.line

import dev.ratelimit.RateLimit
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
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import java.time.Duration
import kotlin.time.Duration.Companion.milliseconds

internal class LeakyBucketWaitTest :
    FunSpec({
        val tenASecond = RateLimit.leakyBucket(10, Duration.ofSeconds(1), 5)

        test("acquire waits for the turn, and turns are evenly spaced") {
            runTest {
                val limiter = RateLimiter("queue", tenASecond, store = MemoryStore(clock))
                val served = mutableListOf<Pair<Int, Long>>()
                repeat(5) { i ->
                    launch {
                        limiter.acquire().delayNanos() shouldBe 0
                        served += i to testScheduler.currentTime
                    }
                }
                testScheduler.advanceUntilIdle()
                served shouldBe List(5) { it to it * 100L }
            }
        }

        test("tryAcquire tells the turn and leaves the waiting to the caller") {
            runTest {
                val limiter = RateLimiter("queue", tenASecond, store = MemoryStore(clock))
                List(3) { limiter.tryAcquire().delayNanos() / NANOS_PER_MILLI } shouldBe listOf(0L, 100L, 200L)
            }
        }

        test("a full queue refuses at once, however long the caller would wait") {
            runTest {
                val limiter = RateLimiter("queue", tenASecond, store = MemoryStore(clock))
                limiter.tryAcquire(5)
                val full = shouldThrow<RateLimitExceededException> { limiter.acquire() }
                full.result.refusal() shouldBe Refusal.LIMIT
                full.result.retryAfterNanos() shouldBe 100 * NANOS_PER_MILLI
                testScheduler.currentTime shouldBe 0
            }
        }

        test("a turn later than the caller would wait is not taken") {
            runTest {
                val limiter = RateLimiter("queue", tenASecond, store = MemoryStore(clock))
                limiter.tryAcquire(3)
                val refused = limiter.tryAcquire(1, maxWait = 299.milliseconds)
                refused.refusal() shouldBe Refusal.MAX_WAIT
                refused.retryAfterNanos() shouldBe NANOS_PER_MILLI
                refused.remaining() shouldBe 2
                limiter.tryAcquire(1, maxWait = 300.milliseconds).isAllowed shouldBe true
                testScheduler.currentTime shouldBe 300
            }
        }

        test("a turn that was given stays spent when its holder is cancelled") {
            runTest {
                val limiter = RateLimiter("queue", tenASecond, store = MemoryStore(clock))
                limiter.tryAcquire()
                val gone = launch { limiter.acquire() }
                runCurrent()
                gone.cancelAndJoin()
                limiter.tryAcquire().delayNanos() shouldBe 200 * NANOS_PER_MILLI
            }
        }

        test("behind a token bucket the turn comes after the permit") {
            runTest {
                val limiter = RateLimiter("both", 1.perSecond, tenASecond, store = MemoryStore(clock))
                limiter.acquire()
                limiter.acquire()
                testScheduler.currentTime shouldBe 1_000
            }
        }
    })

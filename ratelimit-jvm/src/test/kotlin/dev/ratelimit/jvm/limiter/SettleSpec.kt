package dev.ratelimit.jvm.limiter

import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimit
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perMinute
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.jvm.retryAfter
import dev.ratelimit.jvm.settle
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.test.runTest
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** Costs that are known only afterwards. */
internal class SettleSpec :
    FunSpec({
        test("what was not used comes back, in every kind of store and by every face") {
            val stores = listOf({ MemoryStore(ManualClock()) }, { ForeignLocalStore() }, { WireStore() })
            val faces: List<suspend (RateLimiter) -> Unit> =
                listOf({ it.settle(estimated = 60, actual = 25) }, { it.settleAsync(60, 25).join() }, { it.settleBlocking(60, 25) })
            for (store in stores) {
                for (face in faces) {
                    runTest {
                        val limiter = RateLimiter("tokens", 100.perMinute, store = store())
                        limiter.tryAcquireBlocking(60)
                        face(limiter)
                        limiter.peekBlocking().remaining() shouldBe 75
                    }
                }
            }
        }

        test("what was used beyond the estimate is debt, which later calls wait for") {
            runTest {
                val limiter = RateLimiter("tokens", 10.perSecond, store = MemoryStore(clock))
                limiter.tryAcquire(10)
                limiter.settle(estimated = 10, actual = 30)
                limiter.peek().remaining() shouldBe 0
                limiter.tryAcquire().retryAfter shouldBe 2_100.milliseconds
                limiter.acquire()
                testScheduler.currentTime shouldBe 2_100
            }
        }

        test("a refund fills the bucket at most") {
            for (limit in listOf(
                10.perHour,
                10.perHour.withBurst(20),
                RateLimit.fixedWindow(10, 1.hours),
                RateLimit.slidingWindow(10, 1.hours),
                RateLimit.slidingLog(10, 1.hours),
                RateLimit.leakyBucket(10, 1.hours, 20),
            )) {
                withClue(limit) {
                    val limiter = RateLimiter("tokens", limit, store = MemoryStore(ManualClock()))
                    for (refund in listOf(1L, 11L, Long.MAX_VALUE)) {
                        limiter.tryAcquire(3)
                        limiter.settle(estimated = 3, actual = 0)
                        limiter.settle(estimated = refund, actual = 0)
                        limiter.peek().remaining() shouldBe limit.burst()
                        limiter.tryAcquire(limit.burst()).isAllowed shouldBe true
                        limiter.tryAcquire().isAllowed shouldBe false
                        limiter.reset()
                    }
                }
            }
        }

        test("a settlement that changes nothing changes nothing, and makes no bucket") {
            val store = MemoryStore(ManualClock())
            val limiter = RateLimiter("tokens", 10.perHour, store = store)
            limiter.settle(0, 0)
            limiter.settle(Long.MAX_VALUE, Long.MAX_VALUE)
            store.size shouldBe 0
            limiter.tryAcquire(4)
            limiter.settle(4, 4)
            limiter.peek().remaining() shouldBe 6
        }

        test("all limits are corrected, and only the buckets of the key") {
            val clock = ManualClock()
            val users = KeyedRateLimiter<String>("users", 10.perSecond, 15.perHour, store = MemoryStore(clock))
            users["alice"].tryAcquire(10)
            users["alice"].settle(estimated = 10, actual = 4)
            users["alice"].peek().remaining() shouldBe 6
            users["bob"].peek().remaining() shouldBe 10
            clock += 1.seconds
            users["alice"].tryAcquire(10).isAllowed shouldBe true
            clock += 1.seconds
            users["alice"].peek().remaining() shouldBe 1
            users["alice"].peek().limit() shouldBe 15.perHour
        }

        test("enormous debts neither overflow nor wrap into permits") {
            for (limit in listOf(10.perSecond, RateLimit.slidingLog(10, 1.seconds), RateLimit.fixedWindow(10, 1.minutes))) {
                withClue(limit) {
                    val limiter = RateLimiter("tokens", limit, store = MemoryStore(ManualClock()))
                    repeat(3) { limiter.settle(0, Long.MAX_VALUE) }
                    limiter.peek().remaining() shouldBe 0
                    limiter.tryAcquire().isAllowed shouldBe false
                    (limiter.tryAcquire().retryAfterNanos() > 0) shouldBe true
                    limiter.reset()
                    limiter.peek().remaining() shouldBe 10
                }
            }
        }

        test("debt is paid off at the limit's rate: admissions after it are those of the rate") {
            val clock = ManualClock()
            val limiter = RateLimiter("tokens", 10.perSecond, store = MemoryStore(clock))
            limiter.tryAcquire(10)
            limiter.settle(10, 25)
            var admitted = 0
            repeat(4_000) {
                clock += 1.milliseconds
                if (limiter.tryAcquire().isAllowed) admitted++
            }
            admitted shouldBe 25
        }
    })

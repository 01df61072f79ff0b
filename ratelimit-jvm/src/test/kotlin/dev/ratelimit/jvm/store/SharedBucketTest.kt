package dev.ratelimit.jvm.store

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.conformance.inThreads
import dev.ratelimit.jvm.conformance.limit
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicLong
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.seconds

/** One bucket in many hands. */
internal class SharedBucketTest :
    FunSpec({
        test("refill loses no write: 64 threads over 10,000 windows are granted the exact count") {
            val clock = ManualClock()
            val store = MemoryStore(clock)
            val algorithms = listOf(Algorithm.TOKEN_BUCKET, Algorithm.FIXED_WINDOW)
            val limiters = algorithms.map { RateLimiter("$it", it.limit(40, 1.seconds), store = store) }
            val granted = List(limiters.size) { AtomicLong() }
            val window = Rounds(64) { clock.advance(1.seconds) }
            inThreads(64) {
                repeat(10_000) {
                    window.await()
                    for ((i, limiter) in limiters.withIndex()) if (limiter.tryAcquire().isAllowed) granted[i].incrementAndGet()
                }
            }
            granted.map { it.get() } shouldBe listOf(400_000, 400_000)
        }

        for (algorithm in Algorithm.entries) {
            test("$algorithm: limiters of different limits that take turns on a live bucket grant its burst and no more") {
                val store = MemoryStore(ManualClock())
                val limiters = listOf(1.hours, 2.hours).map { RateLimiter("shared", algorithm.limit(10_000, it), store = store) }
                val granted = AtomicLong()
                inThreads(4) { thread -> repeat(10_000) { if (limiters[thread % 2].tryAcquire().isAllowed) granted.incrementAndGet() } }
                granted.get() shouldBe 10_000
            }
        }

        test("a limiter of a smaller burst beside one of a larger never adds to what they grant together") {
            val store = MemoryStore(ManualClock())
            val large = KeyedRateLimiter<Int>("shared", RateLimit.perHour(100.0), store = store)[1]
            val small = KeyedRateLimiter<Int>("shared", RateLimit.perHour(100.0).withBurst(50), store = store)[1]
            var granted = 0
            repeat(200) { if ((if (it % 3 == 0) small else large).tryAcquire().isAllowed) granted++ }
            granted shouldBe 50
        }

        test("a peek beside the table's growth sees what was used") {
            val hourly = RateLimit.perHour(5.0)
            var wrong = 0
            repeat(40) {
                val store = MemoryStore(ManualClock())
                store.take(hourly, "used", 5)
                val growth = thread { repeat(5_000) { store.take(hourly, it) } }
                while (growth.isAlive) if (store.left(hourly, "used") != 0L) wrong++
            }
            wrong shouldBe 0
        }
    }) {
    /** A barrier whose threads yield instead of sleeping, which is faster where there are many more of them than processors. */
    private class Rounds(
        private val threads: Int,
        private val begin: () -> Unit,
    ) {
        private val waiting = AtomicInteger()

        @Volatile
        private var round = 0

        fun await() {
            val mine = round
            if (waiting.incrementAndGet() == threads) {
                waiting.set(0)
                begin()
                round = mine + 1
            } else {
                while (round == mine) Thread.yield()
            }
        }
    }
}

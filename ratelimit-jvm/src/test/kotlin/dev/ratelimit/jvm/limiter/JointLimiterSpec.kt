package dev.ratelimit.jvm.limiter

import dev.ratelimit.LocalRateLimiter
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitExceededException
import dev.ratelimit.RateLimiter
import dev.ratelimit.Refusal
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.RateLimiters
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.jvm.retryAfter
import dev.ratelimit.jvm.tryAcquire
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.LocalRateLimitStore
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeSameInstanceAs
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import java.util.concurrent.TimeUnit
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

@OptIn(ExperimentalCoroutinesApi::class)
class JointLimiterSpec :
    FunSpec({
        class Fixture(
            val scope: TestScope,
        ) {
            val store: LocalRateLimitStore = MemoryStore(scope.clock)
            val seen = mutableListOf<Pair<String, Long>>()

            fun limiter(name: String, vararg limits: RateLimit): LocalRateLimiter =
                RateLimiter(name, *limits, store = store, dispatcher = StandardTestDispatcher(scope.testScheduler))

            fun RateLimiter.use(name: String, times: Int = 1, permits: Long = 1) =
                List(times) {
                    scope.launch {
                        acquire(permits)
                        seen += name to scope.currentTime
                    }
                }

            fun instants(name: String) = seen.filter { it.first == name }.map { it.second }
        }

        fun joint(test: suspend Fixture.() -> Unit) = runTest { Fixture(this).test() }

        test("all grant, or none is charged") {
            joint {
                val narrow = limiter("narrow", 2.perHour)
                val wide = limiter("wide", 3.perHour)
                val both = RateLimiters.allOf(narrow, wide)
                both.tryAcquire().isAllowed shouldBe true
                both.tryAcquire(2).isAllowed shouldBe false
                both.tryAcquire(2).limit() shouldBe 2.perHour
                narrow.peek().remaining() shouldBe 1
                wide.peek().remaining() shouldBe 2
            }
        }

        test("a wait ends when all can grant") {
            joint {
                val narrow = limiter("narrow", 10.perSecond.withBurst(1))
                val wide = limiter("wide", 4.perSecond.withBurst(1))
                RateLimiters.allOf(narrow, wide).use("both", times = 4)
                delay(10.seconds)
                instants("both") shouldContainExactly listOf(0L, 250L, 500L, 750L)
            }
        }

        test("first in, first out, at the limit that they share") {
            joint {
                val hosts = List(3) { limiter("host $it", 100.perSecond) }
                val wide = limiter("wide", 10.perSecond.withBurst(1))
                repeat(3) { round ->
                    hosts.forEachIndexed { i, host ->
                        RateLimiters.allOf(host, wide).use("$round.$i")
                        scope.runCurrent()
                    }
                }
                wide.use("single")
                delay(10.seconds)
                // Each host has one request in the line of the shared limit, so the hosts take turns.
                seen.map { it.first } shouldContainExactly listOf("0.0", "0.1", "0.2", "1.0", "single", "1.1", "1.2", "2.0", "2.1", "2.2")
                seen.map { it.second } shouldContainExactly (0L..900L step 100).toList()
                hosts.indices.forEach { i ->
                    seen.map { it.first }.filter { it.endsWith(".$i") } shouldContainExactly List(3) { round -> "$round.$i" }
                }
            }
        }

        test("who waits for a slow limit of its own does not hold up the others at the limit that they share") {
            joint {
                val slow = limiter("slow", RateLimit.every(java.time.Duration.ofSeconds(10)))
                val fast = limiter("fast", 100.perSecond)
                val wide = limiter("wide", 10.perSecond.withBurst(1))
                RateLimiters.allOf(slow, wide).use("slow", times = 3)
                RateLimiters.allOf(fast, wide).use("fast", times = 5)
                delay(60.seconds)
                instants("slow") shouldContainExactly listOf(0L, 10_000L, 20_000L)
                instants("fast") shouldContainExactly listOf(100L, 200L, 300L, 400L, 500L)
            }
        }

        test("who finds an earlier limit drained steps aside, and is there when it has refilled") {
            joint {
                val one = limiter("one", 100.perSecond.withBurst(1))
                val other = limiter("other", 100.perSecond.withBurst(1))
                val wide = limiter("wide", 1.perSecond.withBurst(1))
                val first = RateLimiters.allOf(one, wide)
                first.acquire()
                delay(500)
                first.use("one")
                RateLimiters.allOf(other, wide).use("other", times = 2)
                delay(400)
                // As another process would, or a server's hint.
                store.adjust(listOf(Adjustment(BucketKey("one", null, 0), 100.perSecond.withBurst(1), 240)))
                delay(60.seconds)
                instants("other") shouldContainExactly listOf(1_000L, 2_000L)
                instants("one").single() shouldBeInRange 3_000L..3_400L
            }
        }

        test("limiters that are joined in opposite orders wait for each other's turn, not for ever") {
            joint {
                val a = limiter("a", 10.perSecond.withBurst(1))
                val b = limiter("b", 10.perSecond.withBurst(1))
                repeat(5) {
                    RateLimiters.allOf(a, b).use("ab")
                    RateLimiters.allOf(b, a).use("ba")
                }
                delay(2.seconds)
                seen.map { it.second } shouldContainExactly (0L..900L step 100).toList()
            }
        }

        test("who leaves while waiting has cost nothing, in whichever line it stood") {
            joint {
                val narrow = limiter("narrow", 10.perSecond.withBurst(1))
                val wide = limiter("wide", 5.perSecond.withBurst(1))
                val both = RateLimiters.allOf(narrow, wide)
                both.acquire()
                val jobs = both.use("gone", times = 3)
                delay(150)
                jobs.forEach { it.cancel() }
                both.use("stays", times = 2)
                delay(5.seconds)
                instants("gone") shouldBe emptyList()
                instants("stays") shouldContainExactly listOf(200L, 400L)
            }
        }

        test("a wait that cannot end in time is refused at once, by the limit that makes it so long") {
            joint {
                val both = RateLimiters.allOf(limiter("narrow", 10.perSecond.withBurst(1)), limiter("wide", 2.perHour))
                both.acquire()
                both.acquire()
                val refusal = shouldThrow<RateLimitExceededException> { both.acquire(maxWait = 1.seconds) }.result
                refusal.limit() shouldBe 2.perHour
                refusal.refusal() shouldBe Refusal.MAX_WAIT
                (refusal.retryAfter > 29.minutes) shouldBe true
                scope.currentTime shouldBe 100
            }
        }

        test("behind a line that is full the refusal says so") {
            joint {
                val narrow = limiter("narrow", 100.perSecond)
                val wide =
                    RateLimiters.builder("wide").limits(1.perHour).maxWaiters(1).build(store)
                wide.acquire()
                wide.use("waits")
                scope.runCurrent()
                val refusal = RateLimiters.allOf(narrow, wide).tryAcquire(maxWait = Duration.INFINITE)
                refusal.refusal() shouldBe Refusal.LINE_FULL
                narrow.peek().remaining() shouldBe 100
                scope.testScheduler.advanceTimeBy(2 * 3_600_000L)
            }
        }

        test("timers that fire late cost no throughput: 2,000 a second with bursts of 1, by a clock of milliseconds") {
            joint {
                val both = RateLimiters.allOf(
                    limiter("narrow", 2_000.perSecond.withBurst(1)),
                    limiter("wide", 2_000.perSecond.withBurst(1)),
                )
                val jobs = both.use("both", times = 4_000)
                jobs.forEach { it.join() }
                scope.currentTime shouldBeInRange 1_990L..2_010L
            }
        }

        test("a permit that comes for a caller who has gone is given back") {
            val store = WireStore(isPrompt = false)
            val narrow = RateLimiter("narrow", 5.perHour, store = store)
            val wide = RateLimiter("wide", 5.perHour, store = store)
            val future = RateLimiters.allOf(narrow, wide).tryAcquireAsync()
            future.cancel(false)
            store.isPrompt = true
            store.deliver()
            store.adjusted.get(10, TimeUnit.SECONDS)
            store.charged.get() shouldBe 0
        }

        test("what cannot be meant is refused, with its names") {
            val store = MemoryStore()
            val a = RateLimiter("a", 1.perSecond, store = store)
            val keyed = KeyedRateLimiter<String>("k", 1.perSecond, store = store)
            shouldThrow<IllegalArgumentException> { RateLimiters.allOf() }.message shouldContain "no limiters"
            shouldThrow<IllegalArgumentException> { RateLimiters.allOf(a, a) }.message shouldContain "'a' is named twice"
            shouldThrow<IllegalArgumentException> { RateLimiters.allOf(keyed["x"], keyed["x"]) }.message shouldContain
                "'k' is named twice with the key x"
            shouldThrow<IllegalArgumentException> { RateLimiters.allOf(a, RateLimiter("b", 1.perSecond)) }.message shouldContain
                "different stores"
            shouldThrow<UnsupportedOperationException> { RateLimiters.allOf(a, keyed["x"]).setLimits(2.perSecond) }.message shouldContain
                "one of them"
            RateLimiters.allOf(a) shouldBeSameInstanceAs a
        }

        test("two keys of one limiter can be asked together, and corrected together") {
            val keyed = KeyedRateLimiter<String>("k", 5.perHour, store = MemoryStore())
            val both = RateLimiters.allOf(keyed["from"], keyed["to"])
            both.acquire(3)
            both.settleBlocking(3, 1)
            keyed["from"].peek().remaining() shouldBe 4
            keyed["to"].peek().remaining() shouldBe 4
            both.resetBlocking()
            keyed["to"].peek().remaining() shouldBe 5
        }
    })

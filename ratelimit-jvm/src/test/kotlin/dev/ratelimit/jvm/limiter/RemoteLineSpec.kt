package dev.ratelimit.jvm.limiter

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitExceededException
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.RateLimiter
import dev.ratelimit.Refusal
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.jvm.tryAcquire
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.longs.shouldBeAtLeast
import io.kotest.matchers.longs.shouldBeAtMost
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceUntilIdle
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Waiting for a store behind a wire: turns in batches, in order, and none kept that nobody uses. */
internal class RemoteLineSpec :
    FunSpec({
        class Grant(
            val caller: Int,
            val millis: Long,
        )

        class Line(
            private val test: TestScope,
            vararg limits: RateLimit,
            latency: Long = 0,
        ) {
            val store =
                TurningStore(test.clock) { answer ->
                    if (latency == 0L) {
                        answer()
                    } else {
                        test.launch {
                            delay(latency)
                            answer()
                        }
                    }
                }
            val limiter: RateLimiter =
                RemoteFamily(
                    "line",
                    limits.asList(),
                    store,
                    LimiterOptions(null, StandardTestDispatcher(test.testScheduler), 10_000),
                    OneLine(10_000),
                    test.clock,
                ).let { RemoteLimiter(it, null) }
            val grants = mutableListOf<Grant>()

            fun CoroutineScope.waiter(
                caller: Int,
                permits: Long = 1,
            ): Job =
                launch {
                    limiter.acquire(permits)
                    grants += Grant(caller, test.currentTime)
                }
        }

        test("one poll for a thousand waiters (sidekiq#5315): 1,000 at 1,000 a second cost 50 calls at most, first in, first out") {
            for (latency in listOf(0L, 3L, 40L)) {
                runTest {
                    with(Line(this, 1_000.perSecond.withBurst(1), latency = latency)) {
                        limiter.acquire()
                        val start = currentTime
                        repeat(1_000) { waiter(it) }
                        advanceUntilIdle()
                        grants.map { it.caller } shouldContainExactly List(1_000) { it }
                        // The bucket was emptied when the first call reached it, a way of the wire before its answer.
                        grants.forEachIndexed { i, grant -> grant.millis shouldBeAtLeast start - latency + i + 1 }
                        grants.last().millis shouldBeAtMost start + 1_000 + 3 * latency
                        store.count("reserve") shouldBeLessThan 50
                        store.count("adjust") shouldBe 0
                        store.charged() shouldBe 1_001
                    }
                }
            }
        }

        test("a slow rate is not polled: two questions for each turn at most") {
            runTest {
                with(Line(this, RateLimit.perMinute(1.0))) {
                    limiter.acquire()
                    repeat(5) { waiter(it) }
                    advanceUntilIdle()
                    grants.map { it.millis } shouldContainExactly listOf(60_000L, 120_000, 180_000, 240_000, 300_000)
                    store.count("reserve") shouldBeLessThan 11
                    store.count("peek") shouldBe 0
                }
            }
        }

        test("when all waiters leave, the turns they had go back") {
            for (latency in listOf(0L, 5L)) {
                runTest {
                    with(Line(this, 100.perSecond.withBurst(1), latency = latency)) {
                        limiter.acquire()
                        val jobs = List(20) { waiter(it) }
                        delay(63 + 2 * latency)
                        jobs.forEach { it.cancel() }
                        advanceUntilIdle()
                        grants.size shouldBeLessThan 9
                        store.count("adjust") shouldBeLessThan 3
                        store.charged() shouldBe 1L + grants.size
                    }
                }
            }
        }

        test("who leaves while the first question is under way gives back its turns when they come") {
            runTest {
                with(Line(this, 100.perSecond.withBurst(1), latency = 5)) {
                    limiter.acquire()
                    val jobs = List(20) { waiter(it) }
                    delay(6)
                    store.count("reserve") shouldBe 1
                    jobs.forEach { it.cancel() }
                    advanceUntilIdle()
                    store.charged() shouldBe 1
                    grants.size shouldBe 0
                }
            }
        }

        test("callers who want different numbers of permits are served in order, and are charged what they were granted") {
            runTest {
                with(Line(this, 100.perSecond.withBurst(5), latency = 2)) {
                    limiter.acquire(5)
                    val wanted = listOf<Long>(1, 5, 1, 1, 3, 3, 1, 5)
                    wanted.forEachIndexed { i, permits -> waiter(i, permits) }
                    advanceUntilIdle()
                    grants.map { it.caller } shouldContainExactly wanted.indices.toList()
                    store.charged() shouldBe 5 + wanted.sum()
                    wanted.indices.forEach { grants[it].millis shouldBeAtLeast wanted.take(it + 1).sum() * 10 }
                }
            }
        }

        test("the head does not sleep for as long as one before it, who asked for more and left, would have had to") {
            runTest {
                with(Line(this, 1.perSecond.withBurst(10), latency = 10)) {
                    limiter.acquire(10)
                    val greedy = waiter(0, 10)
                    delay(15)
                    waiter(1)
                    runCurrent()
                    greedy.cancel()
                    advanceUntilIdle()
                    grants.single().millis shouldBeAtMost 1_000 + 40
                }
            }
        }

        test("limits that change give the turns back to the buckets that they came from, and to no others") {
            runTest {
                val slow = 10.perSecond.withBurst(1)
                val other = 1_000.perHour
                with(Line(this, slow)) {
                    limiter.acquire()
                    repeat(10) { waiter(it) }
                    delay(150)
                    val held = store.charged() - 1 - grants.size
                    held shouldBeAtLeast 2
                    limiter.setLimits(slow, other)
                    runCurrent()
                    store.questions.filter { it.startsWith("adjust") } shouldContainExactly listOf("adjust [-$held@0]")
                    advanceUntilIdle()
                    grants.map { it.caller } shouldContainExactly List(10) { it }
                    store.charged(0) shouldBe 11
                    store.charged(1) shouldBe 9
                }
            }
        }

        test("a faster limit is for those who wait too") {
            runTest {
                with(Line(this, RateLimit.perMinute(1.0))) {
                    limiter.acquire()
                    repeat(10) { waiter(it) }
                    delay(100)
                    limiter.setLimits(100.perSecond.withBurst(1))
                    advanceUntilIdle()
                    grants.last().millis shouldBeAtMost 300
                }
            }
        }

        test("a reset forgets the turns with the bucket: those who wait go on at once, and nothing is given back to the new one") {
            for (latency in listOf(0L, 5L)) {
                runTest {
                    with(Line(this, 10.perSecond.withBurst(3), latency = latency)) {
                        limiter.acquire(3)
                        val jobs = List(6) { waiter(it) }
                        delay(3 * latency + 1)
                        limiter.resetAsync()
                        delay(4 * latency + 1)
                        grants.size shouldBe 3
                        jobs.forEach { it.cancel() }
                        advanceUntilIdle()
                        store.charged() shouldBe 3
                    }
                }
            }
        }

        test("a store that fails fails those who head the line, each for itself; whoever comes later is served again") {
            runTest {
                with(Line(this, 10.perSecond.withBurst(1), latency = 1)) {
                    limiter.acquire()
                    val failures = mutableListOf<Int>()
                    repeat(3) { caller ->
                        launch {
                            delay(caller.toLong())
                            shouldThrow<RateLimitStoreException> { limiter.acquire() }.message shouldBe "the wire is cut"
                            failures += caller
                        }
                    }
                    delay(1)
                    store.isCut = true
                    delay(500)
                    failures shouldContainExactly listOf(0, 1, 2)
                    store.isCut = false
                    waiter(7)
                    advanceUntilIdle()
                    grants.single().caller shouldBe 7
                }
            }
        }

        test("a hopeless wait is refused at once, also behind others, with the wait that it would have been") {
            runTest {
                with(Line(this, 10.perSecond.withBurst(1), latency = 2)) {
                    limiter.acquire()
                    repeat(30) { waiter(it) }
                    delay(10)
                    val before = currentTime
                    val refusal = shouldThrow<RateLimitExceededException> { limiter.acquire(1, maxWait = 2.seconds) }.result
                    currentTime - before shouldBeAtMost 10
                    refusal.refusal() shouldBe Refusal.MAX_WAIT
                    val hundred = 100.milliseconds.inWholeNanoseconds
                    refusal.retryAfterNanos() shouldBeAtLeast 30 * hundred
                    refusal.retryAfterNanos() shouldBeAtMost 31 * hundred
                    limiter.tryAcquire(1, maxWait = 3_150.milliseconds).isAllowed shouldBe true
                    currentTime shouldBeAtLeast 3_100
                    grants.size shouldBe 30
                }
            }
        }

        test("nobody is refused for turns that are reserved already: what others left is for those who come") {
            runTest {
                with(Line(this, 100.perSecond.withBurst(1), latency = 2)) {
                    limiter.acquire()
                    val jobs = List(11) { waiter(it) }
                    delay(18)
                    store.charged() shouldBeAtLeast 10
                    jobs.dropLast(1).forEach { it.cancel() }
                    runCurrent()
                    val served = grants.size
                    limiter.tryAcquire(1, maxWait = 30.milliseconds).isAllowed shouldBe true
                    grants.size shouldBe served + 1
                    advanceUntilIdle()
                    store.charged() shouldBe 2L + grants.size
                }
            }
        }
    })

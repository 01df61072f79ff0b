package dev.ratelimit.jvm.limiter

import ch.qos.logback.classic.Level
import dev.ratelimit.RateLimitExceededException
import dev.ratelimit.RateLimitListener
import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.RateLimiterRegistry
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.jvm.tryAcquire
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.async
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlin.time.Duration.Companion.seconds
import java.time.Duration as JavaDuration

/** A listener whose every method fails. */
private class FailingListener(
    private val failure: Throwable,
) : RateLimitListener {
    var calls = 0

    override fun onWait(
        limiter: String,
        key: Any?,
        permits: Long,
        expected: JavaDuration,
    ) = fail()

    override fun onGrant(
        limiter: String,
        key: Any?,
        permits: Long,
        waited: JavaDuration,
    ) = fail()

    override fun onRefusal(
        limiter: String,
        key: Any?,
        permits: Long,
        result: RateLimitResult,
    ) = fail()

    private fun fail() {
        calls++
        throw failure
    }
}

internal class ListenerSpec :
    FunSpec({
        test("grants, refusals and waits are told with name, key and permits") {
            runTest {
                val journal = Journal()
                val users = KeyedRateLimiter<String>("users", 2.perSecond, store = MemoryStore(clock), listener = journal)
                users["alice"].tryAcquire(2)
                users["alice"].tryAcquire()
                users["alice"].acquire()
                shouldThrow<RateLimitExceededException> { users["alice"].acquire(2, maxWait = 0.5.seconds) }
                users["bob"].acquireBlocking()
                journal.events shouldContainExactly
                    listOf(
                        "users/alice got 2 after PT0S",
                        "users/alice refused 1: LIMIT PT0.5S",
                        "users/alice waits for 1: PT0.5S",
                        "users/alice got 1 after PT0.5S",
                        "users/alice refused 2: MAX_WAIT PT1S",
                        "users/bob got 1 after PT0S",
                    )
            }
        }

        test("a plain limiter has no key") {
            val journal = Journal()
            val limiter = RateLimiter("sec.gov", 1.perHour, store = MemoryStore(ManualClock()), listener = journal)
            limiter.acquireAsync().join()
            limiter.tryAcquireAsync().join()
            journal.events shouldContainExactly listOf("sec.gov/null got 1 after PT0S", "sec.gov/null refused 1: LIMIT PT1H")
        }

        test("each call is told once, by every face that need not wait") {
            for (store in listOf(MemoryStore(ManualClock()), ForeignLocalStore(), WireStore())) {
                val journal = Journal()
                val limiter = RateLimiter("faces", 6.perHour, store = store, listener = journal)
                runTest {
                    limiter.acquire()
                    limiter.tryAcquire()
                    limiter.tryAcquire(maxWait = 1.seconds)
                }
                limiter.acquireAsync().join()
                limiter.tryAcquireAsync(1, JavaDuration.ZERO).join()
                limiter.acquireBlocking()
                limiter.tryAcquireBlocking()
                limiter.peekBlocking()
                journal.events.map { it.substringBefore(" after") } shouldContainExactly
                    List(6) { "faces/null got 1" } + "faces/null refused 1: LIMIT PT10M"
            }
        }

        test("a full line and a time that ran out are told as refusals") {
            runTest {
                val journal = Journal()
                val limiter = RateLimiter("line", 1.perSecond, store = MemoryStore(clock), listener = journal, maxWaiters = 1)
                limiter.tryAcquire()
                launch { limiter.acquire() }
                runCurrent()
                limiter.tryAcquire(maxWait = 9.seconds)
                limiter.tryAcquire()
                testScheduler.advanceUntilIdle()
                journal.events.drop(1) shouldContainExactly
                    listOf(
                        "line/null waits for 1: PT1S",
                        "line/null refused 1: LINE_FULL PT2S",
                        "line/null refused 1: LIMIT PT2S",
                        "line/null got 1 after PT1S",
                    )
            }
        }

        for (failure in listOf(IllegalStateException("broken"), NotImplementedError(), java.util.concurrent.CancellationException())) {
            test("a listener that throws ${failure::class.simpleName} harms nobody, and the bucket is charged once") {
                val listener = FailingListener(failure)
                logged(Level.WARN) {
                    runTest {
                        val limiter = RateLimiter("brave", 2.perSecond, store = MemoryStore(clock), listener = listener)
                        limiter.tryAcquire().remaining() shouldBe 1
                        limiter.acquire().remaining() shouldBe 0
                        limiter.tryAcquire().isAllowed shouldBe false
                        val waiting = listOf(async { limiter.acquire() }, async { limiter.tryAcquire(maxWait = 2.seconds) })
                        waiting.map { it.await().isAllowed } shouldBe listOf(true, true)
                        testScheduler.currentTime shouldBe 1_000
                        limiter.peek().remaining() shouldBe 0
                    }
                }.size shouldBe 7
                listener.calls shouldBe 7
            }
        }

        test("one listener hears all limiters of a registry") {
            val journal = Journal()
            val registry = RateLimiterRegistry(MemoryStore(ManualClock()), journal)
            registry.limiter("a", 1.perHour).tryAcquire()
            registry.limiter("b", 1.perHour).tryAcquire()
            journal.events shouldContainExactlyInAnyOrder listOf("a/null got 1 after PT0S", "b/null got 1 after PT0S")
        }
    })

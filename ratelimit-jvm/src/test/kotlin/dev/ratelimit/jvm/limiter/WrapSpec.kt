package dev.ratelimit.jvm.limiter

import dev.ratelimit.RateLimitExceededException
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.jvm.withPermit
import dev.ratelimit.jvm.wrap
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

private suspend fun ping(): String {
    delay(1.milliseconds)
    return "pong"
}

private suspend fun fetch(url: String): String {
    delay(1.milliseconds)
    return "page of $url"
}

internal class WrapSpec :
    FunSpec({
        test("a wrapped function waits for a permit before each call, not for the call to end") {
            runTest {
                val limiter = RateLimiter("wrapped", 1.perSecond, store = MemoryStore(clock))
                val limitedFetch: suspend (String) -> String = limiter.wrap(::fetch)
                val limitedPing: suspend () -> String = limiter.wrap(::ping)
                testScheduler.currentTime shouldBe 0
                limitedFetch("a") shouldBe "page of a"
                testScheduler.currentTime shouldBe 1
                limitedPing() shouldBe "pong"
                testScheduler.currentTime shouldBe 1_001
                limitedFetch("b") shouldBe "page of b"
                testScheduler.currentTime shouldBe 2_001
            }
        }

        test("a block runs with its permits, returns its value, and may return from the caller") {
            runTest {
                val limiter = RateLimiter("wrapped", 10.perSecond, store = MemoryStore(clock))

                suspend fun first(urls: List<String>): String {
                    urls.forEach { url -> limiter.withPermit(2) { return fetch(url) } }
                    return "none"
                }
                first(listOf("a", "b")) shouldBe "page of a"
                limiter.peek().remaining() shouldBe 8
                limiter.withPermit { 42 } shouldBe 42
                limiter.peek().remaining() shouldBe 7
            }
        }

        test("what the block throws comes through, and the permit stays spent: the call was made") {
            runTest {
                val limiter = RateLimiter("wrapped", 10.perSecond, store = MemoryStore(clock))
                shouldThrow<IllegalStateException> { limiter.withPermit { error("call failed") } }.message shouldBe "call failed"
                val failing = limiter.wrap { url: String -> error("no $url") }
                shouldThrow<IllegalStateException> { failing("page") }.message shouldBe "no page"
                limiter.peek().remaining() shouldBe 8
            }
        }

        test("a block whose permit cannot come in time does not run") {
            runTest {
                val limiter = RateLimiter("wrapped", 1.perSecond, store = MemoryStore(clock))
                limiter.tryAcquire()
                shouldThrow<RateLimitExceededException> { limiter.withPermit(maxWait = 0.9.seconds) { error("must not run") } }
                testScheduler.currentTime shouldBe 0
            }
        }

        test("cancelled while it waits, the block does not run and nothing is charged") {
            runTest {
                val limiter = RateLimiter("wrapped", 1.perSecond, store = MemoryStore(clock))
                limiter.tryAcquire()
                var ran = false
                val job = launch { limiter.withPermit { ran = true } }
                runCurrent()
                job.cancelAndJoin()
                delay(1.seconds)
                limiter.peek().remaining() shouldBe 1
                ran shouldBe false
            }
        }
    })

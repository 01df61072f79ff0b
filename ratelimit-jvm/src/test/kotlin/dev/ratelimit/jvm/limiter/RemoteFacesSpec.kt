package dev.ratelimit.jvm.limiter

import dev.ratelimit.RateLimitResult
import dev.ratelimit.Refusal
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.RateLimiters
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.tryAcquire
import dev.ratelimit.spi.RateLimitStore
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldStartWith
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import java.util.concurrent.CompletableFuture
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit

/** A limiter on a store that takes its time: answers that come late, on other threads, or to callers who have gone. */
internal class RemoteFacesSpec :
    FunSpec({
        test("who is cancelled while the question is under way gives back what the answer brings") {
            val faces: List<Pair<String, suspend (dev.ratelimit.RateLimiter) -> Unit>> =
                listOf("acquire" to { it.acquire(2) }, "tryAcquire" to { it.tryAcquire(2) })
            for ((_, call) in faces) {
                runTest {
                    val store = WireStore(isPrompt = false)
                    val limiter = RateLimiter("wire", 10.perHour, store = store)
                    val job = launch { call(limiter) }
                    runCurrent()
                    job.cancel()
                    store.deliver()
                    runCurrent()
                    store.deliver()
                    store.charged.get() shouldBe 0
                }
            }
        }

        test("so does a future that is cancelled") {
            val faces: List<(dev.ratelimit.RateLimiter) -> CompletableFuture<RateLimitResult>> =
                listOf({ it.acquireAsync(2) }, { it.tryAcquireAsync(2) })
            for (call in faces) {
                val store = WireStore(isPrompt = false)
                val limiter = RateLimiters.builder("wire").limits(10.perHour).executor(Runnable::run).build(store as RateLimitStore)
                val future = call(limiter)
                future.cancel(true) shouldBe true
                store.isPrompt = true
                store.deliver()
                store.adjusted.get(60, TimeUnit.SECONDS)
                store.charged.get() shouldBe 0
            }
        }

        test("a thread of the limiter's own executor may ask and block") {
            val one = Executors.newSingleThreadExecutor()
            try {
                val limiter = RateLimiters.builder("wire").limits(10.perHour).executor(one).build(WireStore() as RateLimitStore)
                val asked =
                    one.submit<Long> {
                        limiter.tryAcquireBlocking()
                        limiter.acquireBlocking()
                        limiter.settleBlocking(1, 2)
                        limiter.peekBlocking().remaining()
                    }
                asked.get(60, TimeUnit.SECONDS) shouldBe 7
                one.submit { limiter.resetBlocking() }.get(60, TimeUnit.SECONDS)
                limiter.peekBlocking().remaining() shouldBe 10
            } finally {
                one.shutdownNow()
            }
        }

        test("an interrupt while the store answers is kept for later, for what was asked may be charged already") {
            val limiter = RateLimiter("wire", 10.perHour, store = WireStore())
            Thread.currentThread().interrupt()
            limiter.tryAcquireBlocking().isAllowed shouldBe true
            limiter.settleBlocking(1, 3)
            limiter.peekBlocking().remaining() shouldBe 7
            limiter.resetBlocking()
            Thread.interrupted() shouldBe true
        }

        test("futures complete on the executor, never on the thread that brought the answer") {
            val one = Executors.newSingleThreadExecutor { Thread(it, "the limiter's executor") }
            try {
                val store = WireStore(isPrompt = false)
                val limiter = RateLimiters.builder("wire").limits(10.perHour).executor(one).build(store as RateLimitStore)
                val futures = listOf(limiter.tryAcquireAsync(), limiter.acquireAsync(), limiter.peekAsync(), limiter.settleAsync(1, 2))
                val threads = futures.map { future -> future.thenApply { Thread.currentThread().name } }
                store.deliver()
                threads.forEach { it.get(60, TimeUnit.SECONDS) shouldStartWith "the limiter's executor" }
            } finally {
                one.shutdownNow()
            }
        }

        test("nobody overtakes the line, and nothing remains for those who do not wait: here as in a local store") {
            for (store in listOf(WireStore(), MemoryStore(ManualClock()), ForeignLocalStore())) {
                runTest {
                    val limiter = RateLimiter("wire", 10.perHour, store = store)
                    limiter.tryAcquire(7)
                    val waiting = launch { limiter.acquire(5) }
                    runCurrent()
                    for (answer in listOf(limiter.tryAcquireBlocking(), limiter.tryAcquire(2), limiter.peekBlocking())) {
                        answer.refusal() shouldBe Refusal.LIMIT
                        answer.remaining() shouldBe 0
                    }
                    waiting.cancel()
                    runCurrent()
                    limiter.peekBlocking().remaining() shouldBe 3
                }
            }
        }
    })

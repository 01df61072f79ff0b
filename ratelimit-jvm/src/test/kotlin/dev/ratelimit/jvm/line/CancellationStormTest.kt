package dev.ratelimit.jvm.line

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.model.TokenBucketModel
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.jvm.tryAcquire
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeLessThan
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import java.math.BigInteger
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicLong
import kotlin.random.Random
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds

/**
 * A million waits that end at their turn, a millisecond before, or a millisecond after; kotlinx.coroutines#2380, #1323, #2233 and
 * Netflix concurrency-limits 0017e8e lost, leaked or doubled permits there. Whatever was charged was granted, and the bucket
 * stands where the exact model stands.
 */
internal class CancellationStormTest :
    FunSpec({
        fun RecordingStore.agreesWithModel(
            permits: Long,
            burst: Long,
        ) {
            val model = TokenBucketModel(permits, BigInteger.valueOf(1_000_000_000), burst)
            for (entry in journal) {
                if (entry.permits > 0) model.tryAcquire(entry.at, entry.permits) shouldBe true else model.refund(entry.at, -entry.permits)
            }
        }

        test("in virtual time, a hundred and fifty thousand waits whose time is over within a millisecond of their turn") {
            runTest(timeout = STORM_TIMEOUT) {
                val store = RecordingStore(clock)
                val limiter = RateLimiter("storm", 1_000.perSecond.withBurst(1), store = store)
                val random = Random(1)
                var granted = 0L
                repeat(150) {
                    limiter.acquire()
                    granted++
                    coroutineScope {
                        repeat(1_000) { i ->
                            val patience = (i / 2 + random.nextInt(3)).milliseconds
                            launch {
                                var got = false
                                if (random.nextBoolean()) {
                                    got = limiter.tryAcquire(1, maxWait = patience).isAllowed
                                } else {
                                    withTimeoutOrNull(patience) {
                                        limiter.acquire()
                                        got = true
                                    }
                                }
                                if (got) granted++
                            }
                        }
                    }
                }
                store.charged shouldBe granted
                granted shouldBeGreaterThan 30_000L
                granted shouldBeLessThan 150_150L
                store.agreesWithModel(permits = 1_000, burst = 1)
            }
        }

        /** [wait] gets a random patience in microseconds, and tells whether it was granted. */
        suspend fun storm(
            attempts: Int,
            wait: suspend (limiter: RateLimiter, patience: Long) -> Boolean,
        ) {
            val store = RecordingStore(NanoClock.system())
            val limiter = RateLimiter("storm", 20_000.perSecond.withBurst(4), store = store)
            val granted = AtomicLong()
            withContext(Dispatchers.Default) {
                repeat(CALLERS) { caller ->
                    launch {
                        val random = Random(caller)
                        repeat(attempts / CALLERS) { if (wait(limiter, random.nextLong(4_000))) granted.incrementAndGet() }
                    }
                }
            }
            store.charged shouldBe granted.get()
            store.agreesWithModel(permits = 20_000, burst = 4)
        }

        test("on real threads, waits of suspend functions that run into a time-out") {
            storm(350_000) { limiter, patience ->
                var granted = false
                withTimeoutOrNull(patience.microseconds) {
                    limiter.acquire()
                    granted = true
                }
                granted
            }
        }

        test("on real threads, waits bounded by maxWait") {
            storm(350_000) { limiter, patience -> limiter.tryAcquire(1, maxWait = patience.microseconds).isAllowed }
        }

        test("on real threads, futures that are cancelled or run into a time-out at any instant") {
            storm(150_000) { limiter, patience ->
                val future: CompletableFuture<*> = limiter.acquireAsync()
                if (patience % 2 == 0L) {
                    future.orTimeout(patience, TimeUnit.MICROSECONDS)
                    while (!future.isDone) delay(1.milliseconds)
                } else {
                    delay((patience / 1_000).milliseconds)
                    future.cancel(true)
                }
                !future.isCompletedExceptionally
            }
        }
    }) {
    private companion object {
        const val CALLERS = 64
        val STORM_TIMEOUT = kotlin.time.Duration.INFINITE
    }
}

package dev.ratelimit.jvm.conformance

import dev.ratelimit.Algorithm
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.RateLimitStore
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeAtMost
import io.kotest.matchers.shouldBe
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration.Companion.hours

/** Many threads at one instant. */
internal fun FunSpec.concurrencyTests(open: () -> StoreFixture) {
    val other = BucketKey("limiter", "other", 0)

    eachAlgorithm("threads at one instant are granted exactly the burst", open) { algorithm ->
        val limit = algorithm.limit(1_000, 1.hours)
        val granted = AtomicLong()
        inThreads(THREADS) { repeat(CALLS) { if (store.takes(limit.charge())) granted.incrementAndGet() } }
        granted.get() shouldBe 1_000
        left(limit) shouldBe 0
    }

    eachAlgorithm("what threads are granted by weight is what the bucket lacks", open) { algorithm ->
        val limit = algorithm.limit(1_000, 1.hours)
        val granted = AtomicLong()
        inThreads(THREADS) { thread ->
            val permits = 1L + thread % 3
            repeat(CALLS) { if (store.takes(limit.charge(permits))) granted.addAndGet(permits) }
        }
        granted.get() shouldBeAtMost 1_000
        left(limit) shouldBe 1_000 - granted.get()
    }

    eachAlgorithm("lists charge all their buckets equally, in whatever order they name them", open) { algorithm ->
        val limit = algorithm.limit(1_000, 1.hours)
        val smaller = algorithm.limit(700, 1.hours)
        val both = listOf(limit.charge(), smaller.charge(key = other))
        val pairs = AtomicLong()
        val singles = AtomicLong()
        inThreads(THREADS) { thread ->
            repeat(CALLS) {
                when (thread % 4) {
                    0 -> if (store.takes(*both.toTypedArray())) pairs.incrementAndGet()
                    1 -> if (store.takes(*both.reversed().toTypedArray())) pairs.incrementAndGet()
                    2 -> if (store.takes(limit.charge())) singles.incrementAndGet()
                    else -> store.peekAsync(both, 0).toCompletableFuture().join()
                }
            }
        }
        left(limit) shouldBe 1_000 - pairs.get() - singles.get()
        left(smaller, other) shouldBe 700 - pairs.get()
        minOf(left(limit), left(smaller, other)) shouldBe 0
    }

    eachAlgorithm("permits that threads take and give back are all there in the end", open) { algorithm ->
        val limit = algorithm.limit(5, 1.hours)
        val most = AtomicLong()
        val held = AtomicLong()
        inThreads(THREADS) {
            repeat(CALLS) {
                if (store.takes(limit.charge(), limit.charge(key = other))) {
                    most.accumulateAndGet(held.incrementAndGet(), ::maxOf)
                    held.decrementAndGet()
                    store.adjustAsync(listOf(Adjustment(KEY, limit, -1), Adjustment(other, limit, -1))).toCompletableFuture().join()
                }
            }
        }
        most.get() shouldBeAtMost 5
        left(limit) shouldBe 5
        left(limit, other) shouldBe 5
    }

    eachAlgorithm("a reset beside other calls loses nothing but what was used before it", open) { algorithm ->
        val limit = algorithm.limit(100, 1.hours)
        val granted = AtomicLong()
        inThreads(THREADS) { thread ->
            repeat(CALLS) {
                if (store.takes(limit.charge())) granted.incrementAndGet()
                if (thread == 0 && it % (CALLS / 5) == 0) store.resetAsync(listOf(KEY)).toCompletableFuture().join()
            }
        }
        granted.get() shouldBeAtMost 600
        reset(KEY)
        take(limit.charge(100)).shouldLeave(0)
    }
}

private const val THREADS = 8
private const val CALLS = 500

private fun RateLimitStore.takes(vararg charges: Charge): Boolean =
    tryAcquireAsync(charges.asList(), Long.MAX_VALUE).toCompletableFuture().join().isAllowed

package dev.ratelimit.jvm.store

import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.conformance.RateLimitStoreConformance
import dev.ratelimit.jvm.conformance.StoreFixture
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.LocalRateLimitStore
import dev.ratelimit.spi.RateLimitStore
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.Executors
import kotlin.time.Duration

/** The memory store passes the kit. */
internal class MemoryStoreConformanceTest : RateLimitStoreConformance({ MemoryFixture { it } })

/** So does a local store that is not the memory store, which limiters ask by charges. */
internal class LocalStoreConformanceTest : RateLimitStoreConformance({ MemoryFixture { Forwarding(it) } })

/** So does a store that answers later, on a thread of its own. */
internal class AsyncStoreConformanceTest : RateLimitStoreConformance({ MemoryFixture { Later(it) } })

/** A memory store with its clock in hand, behind [face]. The clock starts anywhere but at an edge of a window. */
private class MemoryFixture(
    face: (MemoryStore) -> RateLimitStore,
) : StoreFixture {
    private val clock = ManualClock(1_795_262_399_987_654_321)

    override val store: RateLimitStore = face(MemoryStore(clock))

    override fun advance(time: Duration) = clock.advance(time)
}

/** Only what a local store has to be. */
private class Forwarding(
    private val store: LocalRateLimitStore,
) : LocalRateLimitStore {
    override fun clock() = store.clock()

    override fun tryAcquire(
        charges: List<Charge>,
        at: Long,
        maxDelayNanos: Long,
    ): RateLimitResult = store.tryAcquire(charges, at, maxDelayNanos)

    override fun peek(
        charges: List<Charge>,
        at: Long,
        ahead: Long,
    ): RateLimitResult = store.peek(charges, at, ahead)

    override fun adjust(adjustments: List<Adjustment>) = store.adjust(adjustments)

    override fun reset(keys: List<BucketKey>) = store.reset(keys)
}

/** Only what any store has to be; answers come on another thread. */
private class Later(
    private val store: LocalRateLimitStore,
) : RateLimitStore {
    private val thread = Executors.newSingleThreadExecutor()

    override fun tryAcquireAsync(
        charges: List<Charge>,
        maxDelayNanos: Long,
    ): CompletionStage<RateLimitResult> = later { store.tryAcquire(charges, store.clock().nanoTime(), maxDelayNanos) }

    override fun peekAsync(
        charges: List<Charge>,
        ahead: Long,
    ): CompletionStage<RateLimitResult> =
        later { store.peek(charges, store.clock().nanoTime(), ahead) }

    override fun adjustAsync(adjustments: List<Adjustment>): CompletionStage<Void?> =
        later {
            store.adjust(adjustments)
            null
        }

    override fun resetAsync(keys: List<BucketKey>): CompletionStage<Void?> =
        later {
            store.reset(keys)
            null
        }

    override fun close() {
        thread.shutdown()
    }

    private fun <T> later(answer: () -> T): CompletionStage<T> = CompletableFuture.supplyAsync(answer, thread)
}

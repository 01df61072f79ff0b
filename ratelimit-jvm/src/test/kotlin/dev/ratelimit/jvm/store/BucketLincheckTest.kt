package dev.ratelimit.jvm.store

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.spi.Adjustment
import io.kotest.core.spec.style.FunSpec
import org.jetbrains.lincheck.datastructures.Operation
import java.time.Duration

/** One bucket under any interleaving of its calls. */
internal class BucketLincheckTest :
    FunSpec({
        test("a bucket whose state is one word") { checkInterleavings(WordBucketCalls::class, ThreePermits::class) }

        test("a bucket whose word is the lock of its state") { checkInterleavings(WideBucketCalls::class, ThreePermits::class) }

        test("a bucket under two limits that take turns") { checkInterleavings(ChangingBucketCalls::class, ThreePermits::class) }
    })

internal class WordBucketCalls : BucketCalls(RateLimit.perHour(3.0), RateLimit.perHour(3.0))

internal class WideBucketCalls : BucketCalls(hourlyLog(), hourlyLog())

internal class ChangingBucketCalls : BucketCalls(RateLimit.perHour(3.0), RateLimit.perDay(3.0))

private fun hourlyLog() = RateLimit.slidingLog(3, Duration.ofHours(1))

/** The calls on one bucket of three permits, at one instant. */
internal abstract class BucketCalls(
    private val limit: RateLimit,
    private val otherLimit: RateLimit,
) {
    private val store = MemoryStore(ManualClock())

    @Operation
    fun takeOne(): Boolean = store.take(limit, "key").isAllowed

    @Operation
    fun takeTwo(): Boolean = store.take(otherLimit, "key", 2).isAllowed

    @Operation
    fun left(): Long = store.left(limit, "key")

    @Operation
    fun giveBack() = store.adjust(listOf(Adjustment(bucketOf("key"), otherLimit, -1)))

    @Operation
    fun reset() = store.reset(listOf(bucketOf("key")))
}

/** What those calls mean. */
internal class ThreePermits {
    private var left = 3L

    fun takeOne(): Boolean = take(1)

    fun takeTwo(): Boolean = take(2)

    fun left(): Long = left

    fun giveBack() {
        left = minOf(3, left + 1)
    }

    fun reset() {
        left = 3
    }

    private fun take(permits: Long): Boolean {
        if (left < permits) return false
        left -= permits
        return true
    }
}

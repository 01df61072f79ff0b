package dev.ratelimit.jvm.store

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.Charge
import io.kotest.core.spec.style.FunSpec
import org.jetbrains.lincheck.datastructures.Operation
import java.time.Duration

/** Two buckets under any interleaving of calls on one and on both: lists are one operation. */
internal class ListLincheckTest :
    FunSpec({
        test("two limits of one key") { checkInterleavings(TwoLimitCalls::class, TwoBuckets::class) }

        test("one limit of two keys") { checkInterleavings(TwoKeyCalls::class, TwoBuckets::class) }
    })

internal class TwoLimitCalls :
    ListCalls(
        Charge(bucketOf("key", 0), RateLimit.perHour(2.0), 1),
        Charge(bucketOf("key", 1), RateLimit.slidingLog(1, Duration.ofHours(1)), 1),
    )

internal class TwoKeyCalls :
    ListCalls(
        Charge(bucketOf("a"), RateLimit.perHour(2.0), 1),
        Charge(bucketOf("b"), RateLimit.perHour(1.0), 1),
    )

/** The calls on a bucket of two permits and on one of one. */
internal abstract class ListCalls(
    private val first: Charge,
    private val second: Charge,
) {
    private val store = MemoryStore(ManualClock())

    @Operation
    fun takeBoth(): Boolean = take(first, second)

    @Operation
    fun takeBothReversed(): Boolean = take(second, first)

    @Operation
    fun takeFirst(): Boolean = take(first)

    @Operation
    fun takeSecond(): Boolean = take(second)

    @Operation
    fun leastLeft(): Long = store.peek(listOf(first, second), 0, 0).remaining()

    @Operation
    fun giveBothBack() = store.adjust(listOf(first, second).map { Adjustment(it.key, it.limit, -1) })

    @Operation
    fun resetBoth() = store.reset(listOf(first.key, second.key))

    private fun take(vararg charges: Charge) = store.tryAcquire(charges.asList(), 0, Long.MAX_VALUE).isAllowed
}

/** What those calls mean. */
internal class TwoBuckets {
    private var first = 2L
    private var second = 1L

    fun takeBoth(): Boolean = first > 0 && second > 0 && takeFirst() && takeSecond()

    fun takeBothReversed(): Boolean = takeBoth()

    fun takeFirst(): Boolean = (first > 0).also { if (it) first-- }

    fun takeSecond(): Boolean = (second > 0).also { if (it) second-- }

    fun leastLeft(): Long = minOf(first, second)

    fun giveBothBack() {
        first = minOf(2, first + 1)
        second = minOf(1, second + 1)
    }

    fun resetBoth() {
        first = 2
        second = 1
    }
}

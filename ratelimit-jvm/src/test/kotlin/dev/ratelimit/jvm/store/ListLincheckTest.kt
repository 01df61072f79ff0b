package dev.ratelimit.jvm.store

import dev.ratelimit.RateLimit
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
        claimOn(RateLimit.perHour(2.0), "key", slot = 0),
        claimOn(RateLimit.slidingLog(1, Duration.ofHours(1)), "key", slot = 1),
    )

internal class TwoKeyCalls :
    ListCalls(
        claimOn(RateLimit.perHour(2.0), "a"),
        claimOn(RateLimit.perHour(1.0), "b"),
    )

/** The calls on a bucket of two permits and on one of one. */
internal abstract class ListCalls(
    first: Claim,
    second: Claim,
) {
    private val store = MemoryBuckets({ 0 }, maxKeys = 10)
    private val both = listOf(first, second)
    private val reversed = listOf(second, first)
    private val firstOnly = listOf(first)
    private val secondOnly = listOf(second)
    private val givenBack = listOf(-1L, -1L)

    @Operation
    fun takeBoth(): Boolean = take(both)

    @Operation
    fun takeBothReversed(): Boolean = take(reversed)

    @Operation
    fun takeFirst(): Boolean = take(firstOnly)

    @Operation
    fun takeSecond(): Boolean = take(secondOnly)

    @Operation
    fun leastLeft(): Long = store.peek(both, 0, 0).remaining()

    @Operation
    fun giveBothBack() = store.adjust(both, givenBack, 0)

    @Operation
    fun resetBoth() = store.reset(both)

    private fun take(claims: List<Claim>) = store.tryAcquire(claims, 0, Long.MAX_VALUE).isAllowed
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

package dev.ratelimit.jvm.store

import dev.ratelimit.RateLimit
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

internal class WordBucketCalls : BucketCalls(claimsOn(HOURLY), claimsOn(HOURLY))

internal class WideBucketCalls : BucketCalls(claimsOn(HOURLY_LOG), claimsOn(HOURLY_LOG))

internal class ChangingBucketCalls : BucketCalls(claimsOn(HOURLY), claimsOn(RateLimit.perDay(3.0)))

/** The calls on one bucket of three permits, at one instant. Both lists ask for one permit, then for two. */
internal abstract class BucketCalls(
    private val claims: List<List<Claim>>,
    private val otherClaims: List<List<Claim>>,
) {
    private val store = MemoryBuckets({ 0 }, maxKeys = 10)

    @Operation
    fun takeOne(): Boolean = store.tryAcquire(claims[0], 0, Long.MAX_VALUE).isAllowed

    @Operation
    fun takeTwo(): Boolean = store.tryAcquire(otherClaims[1], 0, Long.MAX_VALUE).isAllowed

    @Operation
    fun left(): Long = store.peek(claims[0], 0, 0).remaining()

    @Operation
    fun giveBack() = store.adjust(otherClaims[0], GIVEN_BACK, 0)

    @Operation
    fun reset() = store.reset(claims[0])
}

private val HOURLY = RateLimit.perHour(3.0)
private val HOURLY_LOG = RateLimit.slidingLog(3, Duration.ofHours(1))
private val GIVEN_BACK = listOf(-1L)

private fun claimsOn(limit: RateLimit) = listOf(listOf(claimOn(limit, "key", 1)), listOf(claimOn(limit, "key", 2)))

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

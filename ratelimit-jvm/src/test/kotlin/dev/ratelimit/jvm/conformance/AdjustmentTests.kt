package dev.ratelimit.jvm.conformance

import dev.ratelimit.Algorithm
import dev.ratelimit.spi.BucketKey
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/** Corrections after the fact: permits given back, and taken as debt. */
internal fun FunSpec.adjustmentTests(open: () -> StoreFixture) {
    eachAlgorithm("permits that were not used come back", open) { algorithm ->
        val limit = algorithm.limit(10, 1.hours)
        take(limit.charge(6)).shouldLeave(4)
        adjust(limit.adjustment(-4))
        left(limit) shouldBe 8
        take(limit.charge(8)).shouldLeave(0)
    }

    eachAlgorithm("giving back mints nothing: never above full, nor where nothing was used", open) { algorithm ->
        val limit = algorithm.limit(10, 1.hours)
        adjust(limit.adjustment(-3))
        left(limit) shouldBe 10
        take(limit.charge(4)).shouldLeave(6)
        adjust(limit.adjustment(-100))
        adjust(limit.adjustment(-Long.MAX_VALUE))
        left(limit) shouldBe 10
        take(limit.charge(10)).shouldLeave(0)
        take(limit.charge()) shouldBeAllowed false
    }

    eachAlgorithm("permits used beyond the estimate are taken, as debt if need be", open) { algorithm ->
        val limit = algorithm.limit(10, 1.hours)
        adjust(limit.adjustment(3))
        left(limit) shouldBe 7
        take(limit.charge(7)).shouldLeave(0)
        adjust(limit.adjustment(5))
        take(limit.charge()).remaining() shouldBe 0
        adjust(limit.adjustment(-4))
        take(limit.charge()) shouldBeAllowed false
        adjust(limit.adjustment(-3))
        left(limit) shouldBe 2
    }

    storeTest("later calls wait for the debt of a token bucket", open) {
        val limit = Algorithm.TOKEN_BUCKET.limit(10, 1.seconds)
        take(limit.charge(10)) shouldBeAllowed true
        adjust(limit.adjustment(15))
        val refusal = take(limit.charge())
        refusal.retryAfterNanos() shouldBe 1600.milliseconds.inWholeNanoseconds
        refusal.resetAfterNanos() shouldBe 2500.milliseconds.inWholeNanoseconds
        advance(1600.milliseconds - tick)
        take(limit.charge()) shouldBeAllowed false
        advance(tick)
        take(limit.charge()).shouldLeave(0)
    }

    eachAlgorithm("debt without end does not overflow into permits", open) { algorithm ->
        val limit = algorithm.limit(10, 1.hours)
        repeat(3) {
            adjust(limit.adjustment(Long.MAX_VALUE))
            val refusal = take(limit.charge())
            refusal shouldBeAllowed false
            refusal.remaining() shouldBe 0
        }
    }

    eachAlgorithm("an adjustment of zero changes nothing", open) { algorithm ->
        val limit = algorithm.limit(10, 1.hours)
        take(limit.charge(4)) shouldBeAllowed true
        adjust(limit.adjustment(0))
        left(limit) shouldBe 6
    }

    eachAlgorithm("a list of adjustments is applied in order, each to its own bucket", open) { algorithm ->
        val limit = algorithm.limit(10, 1.hours)
        val other = BucketKey("limiter", "other", 0)
        take(limit.charge(5), limit.charge(5, other)) shouldBeAllowed true
        adjust(limit.adjustment(2), limit.adjustment(-1, other), limit.adjustment(-3))
        left(limit) shouldBe 6
        left(limit, other) shouldBe 6
        // The second of these fills the bucket, so that only the third counts.
        adjust(limit.adjustment(1), limit.adjustment(-9), limit.adjustment(3))
        left(limit) shouldBe 7
    }

    eachAlgorithm("a refusal's wait is right after permits came back", open) { algorithm ->
        val limit = algorithm.limit(5, 1.seconds)
        alignTo(1.seconds)
        take(limit.charge(5)) shouldBeAllowed true
        adjust(limit.adjustment(-1))
        take(limit.charge()).shouldLeave(0)
        val wait = rounded(take(limit.charge(2)).retryAfterNanos().nanoseconds)
        advance(wait - tick)
        take(limit.charge(2)) shouldBeAllowed false
        advance(tick)
        take(limit.charge(2)) shouldBeAllowed true
    }
}

package dev.ratelimit.jvm.conformance

import dev.ratelimit.Algorithm
import dev.ratelimit.spi.Charge
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.seconds

/** What a bucket that starts full grants at one instant. */
internal fun FunSpec.fullBucketTests(open: () -> StoreFixture) {
    eachAlgorithm("a bucket starts full", open) { algorithm ->
        val limit = algorithm.limit(10, 1.hours)
        peek(limit.charge(10)).shouldLeave(10)
        take(limit.charge(10)).shouldLeave(0)
        take(limit.charge()) shouldBeAllowed false
    }

    eachAlgorithm("not off by one at the burst: of two calls at a burst of 1 the second is refused", open) { algorithm ->
        val limit = algorithm.limit(1, 1.hours)
        take(limit.charge()) shouldBeAllowed true
        take(limit.charge()) shouldBeAllowed false
    }

    eachAlgorithm("same-instant calls do not collapse: of 1,000 in one tick, 100 are allowed", open) { algorithm ->
        val limit = algorithm.limit(100, 1.hours)
        var allowed = 0
        repeat(1_000) { if (take(limit.charge()).isAllowed) allowed++ }
        allowed shouldBe 100
    }

    eachAlgorithm("a weight takes that many permits", open) { algorithm ->
        val limit = algorithm.limit(10, 1.hours)
        take(limit.charge(4)).shouldLeave(6)
        take(limit.charge(7)) shouldBeAllowed false
        take(limit.charge(1)).shouldLeave(5)
        take(limit.charge(5)).shouldLeave(0)
    }

    eachAlgorithm("a configuration never limits nothing: rate 3, one permit at a time, ten calls", open) { algorithm ->
        val limit = if (algorithm in BUCKETS) algorithm.limit(3, 1.seconds).withBurst(1) else algorithm.limit(1, 1.seconds)
        (1..10).count { take(limit.charge()).isAllowed } shouldBe 1
    }

    for (algorithm in Algorithm.entries) {
        test("$algorithm: more than the burst is never, at once, and zero and negative weights are refused") {
            val limit = algorithm.limit(10, 1.seconds)
            for (permits in listOf(0L, -1L, Long.MIN_VALUE, 11L, Long.MAX_VALUE)) {
                shouldThrow<IllegalArgumentException> { Charge(KEY, limit, permits) }.message shouldContain "permits $permits "
            }
        }
    }
}

internal val BUCKETS = setOf(Algorithm.TOKEN_BUCKET, Algorithm.LEAKY_BUCKET)

package dev.ratelimit.jvm.conformance

import dev.ratelimit.Algorithm
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/** How permits come back, whatever the algorithm. */
internal fun FunSpec.refillTests(open: () -> StoreFixture) {
    eachAlgorithm("a refused call is granted after the wait it was told, and not one tick before", open) { algorithm ->
        val limit = algorithm.limit(7, 1.seconds)
        alignTo(1.seconds)
        var refusals = 0
        repeat(60) { i ->
            advance(rounded((i * 13_000_007L).nanoseconds))
            val permits = 1L + i % 7
            val refusal = take(limit.charge(permits))
            if (!refusal.isAllowed) {
                refusals++
                withClue("call $i, $refusal") {
                    val wait = rounded(refusal.retryAfterNanos().nanoseconds)
                    advance(wait - tick)
                    take(limit.charge(permits)) shouldBeAllowed false
                    peek(limit.charge(permits)) shouldBeAllowed false
                    advance(tick)
                    peek(limit.charge(permits)) shouldBeAllowed true
                    take(limit.charge(permits)) shouldBeAllowed true
                }
            }
        }
        refusals shouldBeGreaterThan 5
    }

    eachAlgorithm("a bucket is as new after the time that its reset takes, and not one tick before", open) { algorithm ->
        val limit = algorithm.limit(7, 1.seconds)
        alignTo(1.seconds)
        advance(rounded(123_456_789.nanoseconds))
        take(limit.charge(3)) shouldBeAllowed true
        val reset = take(limit.charge(2)).resetAfterNanos()
        reset shouldBeGreaterThan 0
        peek(limit.charge()).resetAfterNanos() shouldBe reset
        val wait = rounded(reset.nanoseconds)
        advance(wait - tick)
        peek(limit.charge()).resetAfterNanos() shouldBeGreaterThan 0
        advance(tick)
        peek(limit.charge()).resetAfterNanos() shouldBe 0
        take(limit.charge(7)).shouldLeave(0)
    }

    eachAlgorithm("slack after idling is bounded: an hour later there is one burst and no more", open) { algorithm ->
        val limit = algorithm.limit(10, 1.seconds)
        take(limit.charge(10)) shouldBeAllowed true
        advance(1.hours)
        left(limit) shouldBe 10
        var allowed = 0
        repeat(30) { if (take(limit.charge()).isAllowed) allowed++ }
        allowed shouldBe 10
    }

    eachAlgorithm("a long idle time does not overflow at large numbers", open) { algorithm ->
        // A sliding log does not go higher.
        val permits = if (algorithm == Algorithm.SLIDING_LOG) 9_800_000L else 980_000_000L
        val limit = algorithm.limit(permits, 10.seconds)
        for (idle in listOf(20.seconds, 12.hours, 24.hours * 365)) {
            take(limit.charge(permits)).shouldLeave(0)
            take(limit.charge()) shouldBeAllowed false
            advance(idle)
            left(limit) shouldBe permits
        }
    }
}

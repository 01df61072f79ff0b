package dev.ratelimit.jvm.conformance

import dev.ratelimit.Algorithm
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/** The exact instants at which tokens come back. What leaks is what refills, so the leaky bucket answers the same. */
internal fun FunSpec.tokenBucketTests(open: () -> StoreFixture) {
    eachBucket("three a second come back at a third, two thirds and a whole second, rounded up", open) { algorithm ->
        val limit = algorithm.limit(3, 1.seconds)
        take(limit.charge(3)).shouldLeave(0)
        var elapsed = Duration.ZERO
        for (k in 1L..10) {
            withClue("token $k") {
                val due = rounded(((k * 1_000_000_000 + 2) / 3).nanoseconds)
                advance(due - tick - elapsed)
                take(limit.charge()) shouldBeAllowed false
                advance(tick)
                take(limit.charge()).shouldLeave(0)
                elapsed = due
            }
        }
    }

    eachBucket("refill loses no fractions when polled fast: one a second, asked each millisecond", open) { algorithm ->
        val limit = algorithm.limit(1, 1.seconds)
        take(limit.charge()) shouldBeAllowed true
        repeat(3) {
            repeat(999) {
                advance(1.milliseconds)
                take(limit.charge()) shouldBeAllowed false
            }
            advance(1.milliseconds)
            take(limit.charge()) shouldBeAllowed true
        }
    }

    eachBucket("rounding neither loses nor mints tokens: 7 in 3 s from a full 10, asked at 0.999 of a period", open) { algorithm ->
        val limit = algorithm.limit(7, 3.seconds).withBurst(10)
        val step = 428_143.microseconds
        val steps = 2_000
        var granted = 0L
        for (i in 0..steps) {
            if (i > 0) advance(step)
            while (take(limit.charge()).isAllowed) granted++
        }
        granted shouldBe 10 + step.inWholeMicroseconds * steps * 7 / 3_000_000
    }

    eachBucket("sub-millisecond intervals do not count as zero: 2,000 a second", open) { algorithm ->
        val limit = algorithm.limit(2_000, 1.seconds).withBurst(1)
        take(limit.charge()) shouldBeAllowed true
        repeat(100) {
            advance(500.microseconds - tick)
            take(limit.charge()) shouldBeAllowed false
            advance(tick)
            take(limit.charge()) shouldBeAllowed true
        }
    }

    eachBucket("tiny rates do not jam open: one in 300 days", open) { algorithm ->
        val limit = algorithm.limit(1, 300.days)
        take(limit.charge()) shouldBeAllowed true
        take(limit.charge()).retryAfterNanos() shouldBe 300.days.inWholeNanoseconds
        advance(300.days - tick)
        take(limit.charge()) shouldBeAllowed false
        advance(tick)
        take(limit.charge()) shouldBeAllowed true
    }

    eachBucket("a burst above the rate is there once, then the rate rules", open) { algorithm ->
        val limit = algorithm.limit(10, 1.seconds).withBurst(50)
        take(limit.charge(50)).shouldLeave(0)
        advance(1.seconds)
        left(limit) shouldBe 10
        take(limit.charge(10)).shouldLeave(0)
        take(limit.charge(20)).retryAfterNanos() shouldBe 2.seconds.inWholeNanoseconds
        advance(1.hours)
        left(limit) shouldBe 50
    }
}

private fun FunSpec.eachBucket(
    name: String,
    open: () -> StoreFixture,
    body: suspend Kit.(Algorithm) -> Unit,
) = BUCKETS.forEach { algorithm -> storeTest("$algorithm: $name", open) { body(algorithm) } }

package dev.ratelimit.jvm.conformance

import dev.ratelimit.RateLimit
import dev.ratelimit.spi.BucketKey
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toJavaDuration

/** The turns that a leaky bucket gives, and how late a turn a caller accepts. */
internal fun FunSpec.leakyBucketTests(open: () -> StoreFixture) {
    val limit = RateLimit.leakyBucket(10, 1.seconds.toJavaDuration(), 5)

    storeTest("leaky turns are evenly spaced, and a full bucket refuses at once", open) {
        for (i in 0L..4) take(limit.charge()).delayNanos() shouldBe (100.milliseconds * i.toInt()).inWholeNanoseconds
        val refusal = take(limit.charge())
        refusal shouldBeAllowed false
        refusal.delayNanos() shouldBe 0
        refusal.retryAfterNanos() shouldBe 100.milliseconds.inWholeNanoseconds
    }

    storeTest("a leaky turn comes after all that was accepted before, whatever its own weight", open) {
        take(limit.charge(2)).delayNanos() shouldBe 0
        advance(50.milliseconds)
        take(limit.charge(3)).delayNanos() shouldBe 150.milliseconds.inWholeNanoseconds
        advance(1.seconds)
        take(limit.charge(5)).delayNanos() shouldBe 0
    }

    storeTest("leaky turns of three a second keep their fractions", open) {
        val thirds = RateLimit.leakyBucket(3, 1.seconds.toJavaDuration(), 6)
        for (i in 0L..5) take(thirds.charge()).delayNanos() shouldBe rounded(((i * 1_000_000_000 + 2) / 3).nanoseconds).inWholeNanoseconds
    }

    storeTest("a turn later than the longest delay is refused, changes nothing, and says how much too late it is", open) {
        take(limit.charge(3)) shouldBeAllowed true
        val refusal = take(listOf(limit.charge()), 250.milliseconds.inWholeNanoseconds)
        refusal shouldBeAllowed false
        refusal.retryAfterNanos() shouldBe 50.milliseconds.inWholeNanoseconds
        left(limit) shouldBe 2
        take(listOf(limit.charge()), 300.milliseconds.inWholeNanoseconds).delayNanos() shouldBe 300.milliseconds.inWholeNanoseconds
        take(listOf(limit.charge()), 0) shouldBeAllowed false
        advance(400.milliseconds)
        take(listOf(limit.charge()), 0).delayNanos() shouldBe 0
    }

    storeTest("of several limits the longest delay is told, and the bound on it holds for all of them", open) {
        val slower = RateLimit.leakyBucket(1, 1.seconds.toJavaDuration(), 5)
        val tokens = RateLimit.perSecond(100.0)
        val both = listOf(limit.charge(), slower.charge(key = SECOND), tokens.charge(key = THIRD))
        take(both).delayNanos() shouldBe 0
        take(both).delayNanos() shouldBe 1.seconds.inWholeNanoseconds
        val refusal = take(both, 1500.milliseconds.inWholeNanoseconds)
        refusal shouldBeAllowed false
        refusal.limit() shouldBe slower
        refusal.retryAfterNanos() shouldBe 500.milliseconds.inWholeNanoseconds
        left(limit) shouldBe 3
        left(slower, SECOND) shouldBe 3
        left(tokens, THIRD) shouldBe 98
    }

    storeTest("limits that have no turns ignore the longest delay", open) {
        val tokens = RateLimit.perSecond(2.0)
        take(listOf(tokens.charge(2)), Duration.ZERO.inWholeNanoseconds).delayNanos() shouldBe 0
        take(listOf(tokens.charge()), 0).retryAfterNanos() shouldBe 500.milliseconds.inWholeNanoseconds
    }
}

private val SECOND = BucketKey("limiter", "key", 1)
private val THIRD = BucketKey("limiter", "key", 2)

package dev.ratelimit.jvm.conformance

import dev.ratelimit.RateLimit
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toJavaDuration

/** What the three window algorithms say at the edges of their windows. */
internal fun FunSpec.windowTests(open: () -> StoreFixture) {
    val minute = 1.minutes.toJavaDuration()

    storeTest("a fixed window opens at its edge, not one tick before, and knows nothing of the one before", open) {
        val limit = RateLimit.fixedWindow(5, minute)
        alignTo(1.minutes)
        advance(1.minutes - tick)
        take(limit.charge(5)).resetAfterNanos() shouldBe tick.inWholeNanoseconds
        take(limit.charge()).retryAfterNanos() shouldBe tick.inWholeNanoseconds
        advance(tick)
        take(limit.charge(5)).resetAfterNanos() shouldBe 1.minutes.inWholeNanoseconds
        advance(1.minutes - tick)
        take(limit.charge()) shouldBeAllowed false
        advance(tick)
        take(limit.charge()).shouldLeave(4)
    }

    storeTest("fixed windows of one period begin together, whenever their first call comes", open) {
        val limit = RateLimit.fixedWindow(5, minute)
        alignTo(1.minutes)
        take(limit.charge(5)) shouldBeAllowed true
        advance(59.seconds)
        take(limit.charge(5, KEY.copyOf("late"))).resetAfterNanos() shouldBe 1.seconds.inWholeNanoseconds
    }

    storeTest("a sliding window evicts before it counts: 0:00, 0:59, 1:30 of two a minute", open) {
        val limit = RateLimit.slidingWindow(2, minute)
        alignTo(1.minutes)
        take(limit.charge()).shouldLeave(1)
        advance(59.seconds)
        take(limit.charge()).shouldLeave(0)
        advance(2.seconds)
        // At 1:01 59/60 of the two count still, so the third fits at 1:30.
        take(limit.charge()).retryAfterNanos() shouldBe 29.seconds.inWholeNanoseconds
        advance(29.seconds - tick)
        take(limit.charge()) shouldBeAllowed false
        advance(tick)
        take(limit.charge()).shouldLeave(0)
        advance(3.minutes)
        take(limit.charge(2)).shouldLeave(0)
    }

    storeTest("a sliding window weighs the previous one by what of it is within a period", open) {
        val limit = RateLimit.slidingWindow(60, minute)
        alignTo(1.minutes)
        take(limit.charge(60)).shouldLeave(0)
        advance(1.minutes)
        take(limit.charge()) shouldBeAllowed false
        advance(15.seconds)
        left(limit) shouldBe 15
        take(limit.charge(15)).shouldLeave(0)
        advance(30.seconds)
        left(limit) shouldBe 30
        advance(15.seconds)
        // The window before is the one of 15 now.
        left(limit) shouldBe 45
    }

    storeTest("a sliding log evicts before it counts: 0:00, 0:59, 1:01 of two a minute", open) {
        val limit = RateLimit.slidingLog(2, minute)
        take(limit.charge()).shouldLeave(1)
        advance(59.seconds)
        take(limit.charge()).shouldLeave(0)
        advance(2.seconds)
        take(limit.charge()).shouldLeave(0)
        take(limit.charge()).retryAfterNanos() shouldBe 58.seconds.inWholeNanoseconds
    }

    storeTest("a window of a sliding log is half open: one period after a grant, not one tick before", open) {
        val limit = RateLimit.slidingLog(3, minute)
        take(limit.charge()) shouldBeAllowed true
        advance(20.seconds)
        take(limit.charge(2)).shouldLeave(0)
        advance(40.seconds - tick)
        take(limit.charge()) shouldBeAllowed false
        advance(tick)
        take(limit.charge()).shouldLeave(0)
        take(limit.charge(2)).retryAfterNanos() shouldBe 20.seconds.inWholeNanoseconds
        advance(20.seconds)
        take(limit.charge(2)).shouldLeave(0)
    }
}

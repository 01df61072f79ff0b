package dev.ratelimit.jvm.conformance

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimit
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** A bucket that comes under another limit keeps what was used. */
internal fun FunSpec.limitChangeTests(open: () -> StoreFixture) {
    val slow = RateLimit.perSecond(10.0)
    val fast = RateLimit.perSecond(20.0)

    storeTest("after a change the tokens are kept and the new rate rules: 10 a second, then 20, then 10", open) {
        take(slow.charge(10)).shouldLeave(0)
        take(fast.charge()).retryAfterNanos() shouldBe 50.milliseconds.inWholeNanoseconds
        advance(500.milliseconds)
        take(fast.charge(4)).shouldLeave(6)
        take(slow.charge()).shouldLeave(5)
        advance(300.milliseconds)
        take(slow.charge(8)).shouldLeave(0)
        take(slow.charge()).retryAfterNanos() shouldBe 100.milliseconds.inWholeNanoseconds
    }

    storeTest("a change between 10 and 20 a second under load admits the integral and one burst at most", open) {
        var granted = 0L
        for (step in 0..1_000) {
            if (step > 0) advance(10.milliseconds)
            val limit = if (step / 100 % 2 == 0) slow else fast
            while (take(limit.charge()).isAllowed) granted++
        }
        granted shouldBeInRange 150L..170L
    }

    storeTest("a smaller burst cuts the tokens, a larger one adds none", open) {
        val ten = RateLimit.perHour(10.0)
        take(ten.charge(3)).shouldLeave(7)
        take(ten.withBurst(5).charge()).shouldLeave(4)
        take(ten.withBurst(50).charge()).shouldLeave(3)
    }

    storeTest("a full token bucket stays full under a larger burst", open) {
        val ten = RateLimit.perSecond(10.0)
        take(ten.charge(3)) shouldBeAllowed true
        advance(1.seconds)
        take(ten.withBurst(50).charge(50)).shouldLeave(0)
    }

    storeTest("a leaky bucket keeps its level, whatever its new capacity", open) {
        val ten = RateLimit.leakyBucket(10, java.time.Duration.ofSeconds(1), 10)
        take(ten.charge(6)).shouldLeave(4)
        val grant = take(ten.withBurst(20).charge())
        grant.shouldLeave(13)
        grant.delayNanos() shouldBe 600.milliseconds.inWholeNanoseconds
        take(ten.withBurst(5).charge()) shouldBeAllowed false
    }

    for (algorithm in listOf(Algorithm.FIXED_WINDOW, Algorithm.SLIDING_WINDOW, Algorithm.SLIDING_LOG)) {
        storeTest("$algorithm: other permits in the same period keep the count", open) {
            take(algorithm.limit(10, 1.hours).charge(6)).shouldLeave(4)
            take(algorithm.limit(20, 1.hours).charge()).shouldLeave(13)
            take(algorithm.limit(5, 1.hours).charge()) shouldBeAllowed false
            take(algorithm.limit(8, 1.hours).charge()).shouldLeave(0)
        }
    }

    for (from in Algorithm.entries) {
        storeTest("$from: what was used stays used under another algorithm", open) {
            for (to in Algorithm.entries - from) {
                val key = KEY.copyOf("$to")
                withClue("$from to $to and back") {
                    take(from.limit(10, 1.hours).charge(4, key)).shouldLeave(6)
                    take(to.limit(10, 1.hours).charge(1, key)).shouldLeave(5)
                    take(from.limit(10, 1.hours).charge(5, key)).shouldLeave(0)
                    take(to.limit(10, 1.hours).charge(1, key)) shouldBeAllowed false
                }
            }
        }
    }

    eachAlgorithm("two limits that take turns on one bucket never forget what was used", open) { algorithm ->
        val (one, other) = listOf(algorithm.limit(100, 1.hours), algorithm.limit(100, 2.hours))
        var granted = 0L
        repeat(300) { if (take((if (it % 2 == 0) one else other).charge()).isAllowed) granted++ }
        granted shouldBe 100
    }
}

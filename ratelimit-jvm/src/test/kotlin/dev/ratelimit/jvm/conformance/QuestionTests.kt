package dev.ratelimit.jvm.conformance

import dev.ratelimit.Algorithm
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/** Refusals and peeks change nothing. */
internal fun FunSpec.questionTests(open: () -> StoreFixture) {
    eachAlgorithm("a denied call changes nothing: use 8 of 10, ask 5, ask 1", open) { algorithm ->
        val limit = algorithm.limit(10, 1.hours)
        take(limit.charge(8)).shouldLeave(2)
        val first = take(limit.charge(5))
        repeat(100) { take(limit.charge(5)) shouldBe first }
        first shouldBeAllowed false
        first.remaining() shouldBe 2
        take(limit.charge()).shouldLeave(1)
    }

    eachAlgorithm("denied calls do not put the wait off", open) { algorithm ->
        val limit = algorithm.limit(1, 1.seconds)
        alignTo(1.seconds)
        take(limit.charge()) shouldBeAllowed true
        var left = take(limit.charge()).retryAfterNanos()
        repeat(999) {
            advance(1.milliseconds)
            left -= 1.milliseconds.inWholeNanoseconds
            take(limit.charge()).retryAfterNanos() shouldBe left
        }
        advance(left.nanoseconds)
        take(limit.charge()) shouldBeAllowed true
    }

    eachAlgorithm("peeking changes nothing, and is not frozen", open) { algorithm ->
        val limit = algorithm.limit(2, 1.seconds)
        alignTo(1.seconds)
        repeat(100) { peek(limit.charge(2)).shouldLeave(2) }
        take(limit.charge(2)).shouldLeave(0)
        var wait = peek(limit.charge()).retryAfterNanos()
        while (wait > 0) {
            peek(limit.charge()) shouldBe take(limit.charge())
            val step = minOf(wait, 7.milliseconds.inWholeNanoseconds)
            advance(step.nanoseconds)
            wait -= step
        }
        repeat(100) { peek(limit.charge()) shouldBeAllowed true }
        take(limit.charge()) shouldBeAllowed true
    }

    eachAlgorithm("a peek under another limit changes nothing either", open) { algorithm ->
        val limit = algorithm.limit(10, 1.hours)
        take(limit.charge(4)).shouldLeave(6)
        peek(algorithm.limit(3, 1.hours).charge())
        peek(algorithm.limit(100, 1.seconds).charge())
        peek((Algorithm.entries - algorithm).first().limit(10, 1.hours).charge()).remaining() shouldBe 6
        left(limit) shouldBe 6
    }
}

package dev.ratelimit.jvm.algorithm

import dev.ratelimit.Algorithm
import io.kotest.assertions.fail
import io.kotest.core.spec.style.FunSpec
import java.math.BigInteger
import kotlin.random.Random

/**
 * Every algorithm against its model in exact fractions: on each step of a random trace all answers are the same, to the nanosecond
 * and the permit. A million steps each; README.md has the command of the longer campaign and of other seeds.
 */
internal class AgreementTest :
    FunSpec({
        val steps = Integer.getInteger("ratelimit.agreement.steps", 1_000_000)
        val seed = Integer.getInteger("ratelimit.agreement.seed", 1)

        for (algorithm in Algorithm.entries) {
            test("$algorithm agrees with exact fractions on $steps random steps") {
                repeat(steps / TRACE) { i -> Trace(algorithm, Random(seed * 1_000_003L + i)).run() }
            }
        }
    }) {
    private class Trace(
        algorithm: Algorithm,
        private val random: Random,
    ) {
        private val limit = random.limit(algorithm)
        private val meter = Meter.of(limit, 0)
        private val model = modelOf(limit)

        /**
         * Clocks step back in half of the traces; the other half corrects charges afterwards. Not where that raises a level beyond 64 bits,
         * where it ends: a burst near their end, or a million permits and more in a nanosecond.
         */
        private val stepsBack =
            random.nextBoolean() && limit.burst() < Long.MAX_VALUE / 2 && limit.permits() / limit.period().toNanos() < MILLION
        private val pace = (limit.period().toNanos() / limit.permits()).coerceIn(1, 1L shl 40)
        private var now = random.nextLong(1L shl 40)
        private var state = meter.fresh(now)

        fun run() {
            charge(1)
            repeat(TRACE) { i ->
                val permits = random.nextLong(1, minOf(limit.burst(), 1L shl random.nextInt(1, 10)) + 1)
                advance(permits)
                compare(permits, i)
                act(permits)
            }
        }

        private fun act(permits: Long) {
            val action = random.nextInt(if (stepsBack) 8 else 10)
            when {
                action < 8 -> charge(permits)
                action == 8 -> {
                    meter.giveBack(state, now, permits)
                    model.refund(now, permits)
                }
                // A packed window counts debt up to its permits once more; beyond that it ends with the window anyway.
                model.remaining(now) > 0 -> {
                    state = meter.add(state, now, permits)
                    model.debit(now, permits)
                }
            }
        }

        private fun charge(permits: Long) {
            val admitted = meter.admits(state, now, permits)
            if (admitted) state = meter.add(state, now, permits)
            if (model.tryAcquire(now, permits) != admitted) fail("$limit admits $permits at $now: $admitted, but the model does not agree")
        }

        /** Mostly about the time of a permit; often exactly to the end of the wait, or the nanosecond before; now and then far. */
        private fun advance(permits: Long) {
            val wait = model.waitFor(now, permits).saturated()
            val step =
                when (random.nextInt(10)) {
                    0 -> 0
                    1, 2 -> wait
                    3, 4 -> wait - 1
                    5 -> if (stepsBack) -random.nextLong(pace * 2) else random.nextLong(pace)
                    6 -> random.nextLong(limit.period().toNanos().coerceAtMost(1L shl 50)) * 3
                    else -> random.nextLong(pace * 3)
                }
            // Waits of many years are compared, not waited for.
            if (step < FAR && now + step in 0 until FAR * 4) now += step.coerceAtLeast(if (stepsBack) Long.MIN_VALUE else 0)
        }

        private fun compare(
            permits: Long,
            step: Int,
        ) {
            same("wait for $permits", step, meter.waitFor(state, now, permits, 0), model.waitFor(now, permits).saturated())
            same("remaining", step, meter.remaining(state, now), model.remaining(now))
            same("reset after", step, meter.resetAfter(state, now), model.resetAfter(now).saturated())
            same("delay", step, meter.delay(state, now), model.delay(now).saturated())
        }

        private fun same(
            what: String,
            step: Int,
            actual: Long,
            expected: Long,
        ) {
            if (actual !=
                expected
            ) {
                fail("$limit (${meter::class.simpleName}) step $step at $now: $what is $actual, the model says $expected")
            }
        }
    }

    private companion object {
        const val TRACE = 500
        const val MILLION = 1_000_000
        const val FAR = 1L shl 58

        fun BigInteger.saturated() = min(BigInteger.valueOf(Long.MAX_VALUE)).toLong()
    }
}

package dev.ratelimit.jvm.model

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.math.BigInteger
import kotlin.random.Random

/** Each definition applied anew to the whole list of grants, for time that never steps back. */
internal class ModelHistoryTest :
    FunSpec({
        fun List<Step>.permitsIn(range: LongRange): Long = filter { it.now in range }.sumOf { it.permits }

        /** Calls the model along random traces; [allows] decides from the earlier grants alone. */
        fun agree(
            create: (permits: Long, period: Long, burst: Long) -> Model,
            allows: (permits: Long, period: Long, burst: Long, grants: List<Step>, step: Step) -> Boolean,
        ) {
            for (seed in 1..200) {
                val random = Random(seed)
                val permits = random.nextLong(1, 9)
                val period = random.nextLong(1, 20)
                val burst = random.nextLong(1, 12)
                val model = create(permits, period, burst)
                val grants = mutableListOf<Step>()
                for (step in random.forwardTrace(60, minOf(permits, burst), maxOf(1, period / 2))) {
                    val expected = allows(permits, period, burst, grants, step)
                    withClue("seed $seed: $permits per $period, burst $burst, $grants, $step") { model.run(step) shouldBe expected }
                    if (expected) grants += step
                }
            }
        }

        /** In units of 1/period: each nanosecond brings `permits` of them, each permit costs `period`. */
        fun bucketAllows(
            permits: Long,
            period: Long,
            burst: Long,
            grants: List<Step>,
            step: Step,
        ): Boolean {
            var tokens = burst * period
            for (instant in (grants.firstOrNull()?.now ?: step.now)..step.now) {
                tokens = minOf(burst * period, tokens + permits) - grants.permitsIn(instant..instant) * period
            }
            return tokens >= step.permits * period
        }

        test("token bucket: filled nanosecond by nanosecond") {
            agree({ permits, period, burst -> TokenBucketModel(permits, BigInteger.valueOf(period), burst) }, ::bucketAllows)
        }

        test("leaky bucket: drained nanosecond by nanosecond") {
            agree({ permits, period, burst -> LeakyBucketModel(permits, BigInteger.valueOf(period), burst) }, ::bucketAllows)
        }

        test("fixed window: the grants since the window's start") {
            agree({ permits, period, _ -> FixedWindowModel(permits, BigInteger.valueOf(period)) }) { permits, period, _, grants, step ->
                val start = Math.floorDiv(step.now, period) * period
                grants.permitsIn(start..step.now) + step.permits <= permits
            }
        }

        test("sliding window: the grants of two windows, weighted") {
            agree({ permits, period, _ -> SlidingWindowModel(permits, BigInteger.valueOf(period)) }) { permits, period, _, grants, step ->
                val start = Math.floorDiv(step.now, period) * period
                val previous = grants.permitsIn(start - period..<start)
                val current = grants.permitsIn(start..step.now)
                previous * (period - (step.now - start)) + (current + step.permits) * period <= permits * period
            }
        }

        test("sliding log: the grants of one period") {
            agree({ permits, period, _ -> SlidingLogModel(permits, BigInteger.valueOf(period)) }) { permits, period, _, grants, step ->
                grants.permitsIn(step.now - period + 1..step.now) + step.permits <= permits
            }
        }
    })

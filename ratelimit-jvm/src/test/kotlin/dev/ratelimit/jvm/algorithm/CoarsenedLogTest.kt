package dev.ratelimit.jvm.algorithm

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.model.Action
import dev.ratelimit.jvm.model.SlidingLogModel
import dev.ratelimit.jvm.model.trace
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import java.time.Duration
import kotlin.random.Random

/** A log that keeps few entries errs toward less, never toward more. */
internal class CoarsenedLogTest :
    FunSpec({
        val period = 1_000L

        test("a coarsened log never admits what the exact one would not, on any trace, and is sound") {
            for (seed in 0 until 400) {
                val random = Random(seed)
                val permits = random.nextLong(20, 200)
                val most = random.nextInt(1, 12)
                val meter = SlidingLog(RateLimit.slidingLog(permits, Duration.ofNanos(period)))
                val model = SlidingLogModel(permits, period.toBigInteger())
                val trace = random.trace(400, 3, 40)
                var state = meter.fresh(trace.first().now)
                for (step in trace.filter { it.action == Action.ACQUIRE }) {
                    withClue("seed $seed, at most $most entries, $step") {
                        if (meter.remaining(state, step.now) > model.remaining(step.now)) throw AssertionError("more than the exact log")
                        if (meter.admits(state, step.now, step.permits)) {
                            state = meter.coarsened(meter.add(state, step.now, step.permits), most)
                            model.tryAcquire(step.now, step.permits) shouldBe true
                        }
                        meter.isSound(state, step.now) shouldBe true
                    }
                }
            }
        }

        test("it errs by no more than the time between two grants, and not at all where there is room for all entries") {
            val meter = SlidingLog(RateLimit.slidingLog(100, Duration.ofNanos(period)))
            val model = SlidingLogModel(100, period.toBigInteger())
            var state = meter.fresh(0)
            var granted = 0
            for (now in 0L until 20 * period step 5) {
                val exact = model.tryAcquire(now, 1)
                meter.admits(state, now, 1) shouldBe exact
                if (exact) {
                    state = meter.coarsened(meter.add(state, now, 1), 100)
                    granted++
                }
            }
            granted shouldBeGreaterThan 1_900
        }
    })

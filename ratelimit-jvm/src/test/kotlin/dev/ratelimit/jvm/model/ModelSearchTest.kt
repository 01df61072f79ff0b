package dev.ratelimit.jvm.model

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.math.BigInteger
import kotlin.random.Random

/** Every closed formula against trying: a fresh replay for each instant and each number of permits, nanosecond by nanosecond. */
internal class ModelSearchTest :
    FunSpec({
        class Case(
            val name: String,
            val create: (permits: Long, period: BigInteger, burst: Long) -> Model,
            val hasBurst: Boolean = false,
        )

        val cases =
            listOf(
                Case("token bucket", ::TokenBucketModel, hasBurst = true),
                Case("leaky bucket", ::LeakyBucketModel, hasBurst = true),
                Case("fixed window", { permits, period, _ -> FixedWindowModel(permits, period) }),
                Case("sliding window", { permits, period, _ -> SlidingWindowModel(permits, period) }),
                Case("sliding log", { permits, period, _ -> SlidingLogModel(permits, period) }),
            )

        fun check(
            burst: Long,
            now: Long,
            replay: () -> Model,
        ) {
            val model = replay()
            val most = (1..burst).lastOrNull { replay().tryAcquire(now, it) } ?: 0
            withClue("remaining") { model.remaining(now) shouldBe most }
            val waits = (1..burst).map { n -> generateSequence(0L, Long::inc).first { replay().tryAcquire(now + it, n) } }
            for (n in 1..burst) {
                withClue("wait for $n") { model.waitFor(now, n) shouldBe BigInteger.valueOf(waits[n.toInt() - 1]) }
            }
            // Unused is what grants the whole burst, so the search is the same.
            withClue("reset") { model.resetAfter(now) shouldBe BigInteger.valueOf(waits.last()) }
            if (model is LeakyBucketModel) withClue("delay") { model.delay(now) shouldBe BigInteger.valueOf(waits.last()) }
            // Once it would be granted, it would be at every later instant too.
            for (later in 0..3) replay().tryAcquire(now + waits.last() + later, burst) shouldBe true
        }

        for (case in cases) {
            test("${case.name}: waits, remaining and reset agree with a search") {
                for (seed in 1..400) {
                    val random = Random(seed)
                    val permits = random.nextLong(1, 7)
                    val period = random.nextLong(1, 14)
                    val burst = if (case.hasBurst) random.nextLong(1, 9) else permits
                    val trace = random.trace(random.nextInt(12), burst, period)
                    val now = (trace.lastOrNull()?.now ?: 0) + random.nextLong(-period, period + 1)

                    fun replay() = case.create(permits, BigInteger.valueOf(period), burst).also { trace.forEach(it::run) }
                    withClue("seed $seed: $permits per $period, burst $burst, $trace, at $now") { check(burst, now, ::replay) }
                }
            }

            test("${case.name}: refused calls and questions change nothing") {
                for (seed in 1..200) {
                    val random = Random(seed)
                    val permits = random.nextLong(1, 7)
                    val period = random.nextLong(1, 14)
                    val burst = if (case.hasBurst) random.nextLong(1, 9) else permits
                    val asked = case.create(permits, BigInteger.valueOf(period), burst)
                    val silent = case.create(permits, BigInteger.valueOf(period), burst)
                    for (step in random.trace(60, burst, period)) {
                        val probe = step.now + random.nextLong(-period, 3 * period)
                        val needed = asked.remaining(probe) + 1
                        asked.resetAfter(probe)
                        asked.delay(probe)
                        asked.waitFor(probe, burst)
                        if (needed <= burst) asked.tryAcquire(probe, needed) shouldBe false
                        val granted = asked.run(step)
                        if (granted) silent.run(step)
                        asked.waitFor(step.now, burst) shouldBe silent.waitFor(step.now, burst)
                    }
                }
            }
        }
    })

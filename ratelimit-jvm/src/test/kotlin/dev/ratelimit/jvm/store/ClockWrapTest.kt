package dev.ratelimit.jvm.store

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.conformance.limit
import dev.ratelimit.spi.Adjustment
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.ints.shouldBeInRange
import io.kotest.matchers.shouldBe
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/** A clock may wrap around beneath a store: `System.nanoTime` starts anywhere. */
internal class ClockWrapTest :
    FunSpec({
        val period = 1.seconds

        /** About [reading], at the edge of a window. */
        fun aligned(reading: Long) = reading - Math.floorMod(reading, period.inWholeNanoseconds)

        val starts =
            mapOf(
                "5 s before it wraps around" to aligned(Long.MAX_VALUE - 5.seconds.inWholeNanoseconds),
                "5 s before zero" to -5.seconds.inWholeNanoseconds,
                "at its least reading" to aligned(Long.MIN_VALUE + period.inWholeNanoseconds),
            )

        fun answers(
            algorithm: Algorithm,
            start: Long,
        ): List<RateLimitResult> {
            val clock = ManualClock(start)
            val store = MemoryStore(clock, 50)
            val limit = algorithm.limit(7, period)
            val random = Random(1)
            return List(5_000) {
                clock.advance(random.nextLong(10.milliseconds.inWholeNanoseconds).nanoseconds)
                val key = random.nextInt(3)
                when (random.nextInt(8)) {
                    0 -> store.adjust(listOf(Adjustment(bucketOf(key), limit, random.nextLong(-2, 2))))
                    // Others come and go, so that idle buckets are dropped.
                    1 -> store.take(limit, "once $it")
                }
                store.take(limit, key, random.nextLong(1, 4))
            }
        }

        for (algorithm in Algorithm.entries) {
            for ((name, start) in starts) {
                test("$algorithm: a clock that starts $name changes no answer") {
                    val expected = answers(algorithm, 0)
                    val actual = answers(algorithm, start)
                    for (i in expected.indices) withClue("call $i") { actual[i] shouldBe expected[i] }
                }
            }

            test("$algorithm: a clock that wraps around neither sticks nor opens") {
                // Where the clock wraps around is no edge of a window.
                val clock = ManualClock(Long.MAX_VALUE - 5.seconds.inWholeNanoseconds)
                val store = MemoryStore(clock)
                val limit = algorithm.limit(10, period)
                val perSecond = IntArray(20)
                for (ms in 0 until 20_000) {
                    if (store.take(limit, "key").isAllowed) perSecond[ms / 1_000]++
                    clock.advance(1.milliseconds)
                }
                perSecond.first() shouldBeInRange 10..20
                for (i in 1 until perSecond.size) withClue("second $i of ${perSecond.toList()}") { perSecond[i] shouldBeInRange 1..11 }
                perSecond.drop(8).sum() shouldBeGreaterThan 100
            }
        }
    })

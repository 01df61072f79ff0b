package dev.ratelimit.jvm.store

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.conformance.BUCKETS
import dev.ratelimit.jvm.conformance.limit
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeAtMost
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/** Idle buckets go, and nothing is lost by it: a bucket that is full again equals one that was never made. */
internal class LosslessDroppingTest :
    FunSpec({
        val perSecond = RateLimit.perSecond(5.0)

        test("keys are not kept for ever: a hundred thousand idle ones vanish as others come") {
            val clock = ManualClock()
            val store = MemoryStore(clock)
            repeat(100_000) { store.take(perSecond, it) }
            store.size shouldBe 100_000
            repeat(2_000) {
                clock.advance(20.milliseconds)
                store.take(perSecond, "new $it")
            }
            store.size shouldBeAtMost 500
        }

        test("idle keys vanish wherever they are, even if a single busy key is all that comes") {
            val clock = ManualClock()
            val store = MemoryStore(clock)
            repeat(100_000) { store.take(perSecond, it) }
            repeat(2_000) {
                clock.advance(20.milliseconds)
                store.take(perSecond, "busy")
            }
            store.size shouldBeAtMost 500
        }

        losslessTests(Bounded::inMemory)
    })

/** An idle bucket that is dropped loses nothing, on a store that [open] makes. */
internal fun FunSpec.losslessTests(open: (ManualClock, Int) -> Bounded) {
    for (algorithm in Algorithm.entries) {
        test("$algorithm: an exhausted key is not dropped while there are full ones") {
            val clock = ManualClock()
            val store = open(clock, 100)
            val hourly = algorithm.limit(5, 2.hours)
            val short = algorithm.limit(1, 1_000.nanoseconds)
            store.take(hourly, "exhausted", 5).isAllowed shouldBe true
            repeat(50_000) {
                clock.advance(2_000.nanoseconds)
                store.take(short, it).isAllowed shouldBe true
                store.size shouldBeAtMost store.most
            }
            store.left(hourly, "exhausted") shouldBe 0
        }

        test("$algorithm: exhausted, cleaned, asked again: a bucket that is not quite full is not dropped") {
            val clock = ManualClock()
            val store = open(clock, 1_000)
            val limit = algorithm.limit(5, 1.seconds)
            store.take(limit, "key", 5)
            val full = store.take(limit, "key").resetAfterNanos()
            clock.advance((full - 1).nanoseconds)
            val before = store.left(limit, "key")
            repeat(5_000) { store.take(limit, it) }
            withClue("one nanosecond before it is full") { store.left(limit, "key") shouldBe before }
        }

        test("$algorithm: a drop is not seen by a call of an earlier instant, nor on a clock that steps back") {
            val clock = ManualClock()
            val store = open(clock, 1_000)
            val limit = algorithm.limit(5, 1.seconds)
            store.take(limit, "key", 5).isAllowed shouldBe true
            val full = store.take(limit, "key").resetAfterNanos()
            clock.set(full)
            // These have the store drop the bucket, which is full now.
            repeat(5_000) { store.take(limit, it) }

            fun granted(at: Long) = (1..10).count { store.take(limit, "key", at = at).isAllowed }
            val early = granted(full / 2)
            clock.set(full / 2)
            val steppedBack = granted(clock.nanoTime())
            clock.set(full)
            early + steppedBack + granted(full) shouldBe 5
            // Half of the way again: two and a half tokens have come back; windows are still closed.
            granted(full + full / 2 - 1) shouldBe if (algorithm in BUCKETS) 2 else 0
        }
    }
}

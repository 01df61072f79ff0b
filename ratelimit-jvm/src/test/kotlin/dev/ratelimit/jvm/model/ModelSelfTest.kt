package dev.ratelimit.jvm.model

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.math.BigInteger

/** Tables worked out by hand. */
internal class ModelSelfTest :
    FunSpec({
        fun nanos(value: Long) = BigInteger.valueOf(value)

        /** What a model says at an instant. */
        fun Model.shouldSay(
            now: Long,
            remaining: Long,
            resetAfter: Long,
            vararg waits: Pair<Long, Long>,
        ) = withClue("at $now") {
            remaining(now) shouldBe remaining
            resetAfter(now) shouldBe nanos(resetAfter)
            for ((permits, wait) in waits) withClue("wait for $permits") { waitFor(now, permits) shouldBe nanos(wait) }
        }

        test("token bucket: 3 per 10 ns, burst 4") {
            val model = TokenBucketModel(3, nanos(10), 4)
            model.shouldSay(0, 4, 0, 4L to 0)
            model.tryAcquire(0, 3) shouldBe true // full at 10
            model.shouldSay(0, 1, 10, 1L to 0, 2L to 4, 3L to 7, 4L to 10)
            model.tryAcquire(3, 2) shouldBe false // level 2.1
            model.tryAcquire(4, 2) shouldBe true // level 1.8, full at 16⅔
            model.shouldSay(4, 0, 13, 1L to 3, 4L to 13)
            model.shouldSay(0, 0, 17, 1L to 7) // stepped back: level 5
            model.refund(4, 1) // full at 13⅓
            model.shouldSay(4, 1, 10, 2L to 3)
            model.debit(4, 6) // full at 33⅓, level 8.8
            model.shouldSay(4, 0, 30, 1L to 20, 4L to 30)
            model.refund(4, 100)
            model.shouldSay(4, 4, 0)
            model.delay(4) shouldBe nanos(0)
        }

        test("leaky bucket: 3 per 10 ns, capacity 4; turns are level/rate, rounded up") {
            val model = LeakyBucketModel(3, nanos(10), 4)
            for (turn in listOf<Long>(0, 4, 7, 10)) {
                model.delay(0) shouldBe nanos(turn)
                model.tryAcquire(0, 1) shouldBe true
            }
            model.tryAcquire(3, 1) shouldBe false
            model.shouldSay(0, 0, 14, 1L to 4, 4L to 14)
            model.delay(14) shouldBe nanos(0)
        }

        test("fixed window: 3 per 10 ns") {
            val model = FixedWindowModel(3, nanos(10))
            model.tryAcquire(-1, 3) shouldBe true // window −1
            model.shouldSay(-1, 0, 1, 1L to 1)
            model.shouldSay(0, 3, 0)
            model.tryAcquire(9, 2) shouldBe true
            model.shouldSay(9, 1, 1, 1L to 0, 2L to 1)
            model.shouldSay(-7, 1, 17, 1L to 0, 2L to 17) // stepped back: still window 0
            model.tryAcquire(-7, 1) shouldBe true
            model.shouldSay(5, 0, 5, 3L to 5)
            model.refund(12, 3) // nothing taken in window 1
            model.shouldSay(5, 0, 5)
            model.refund(5, 1)
            model.shouldSay(5, 1, 5)
            model.debit(5, 40)
            model.shouldSay(5, 0, 5, 3L to 5)
            model.refund(5, 100)
            model.shouldSay(5, 3, 0)
        }

        test("sliding window: 10 per 100 ns") {
            val model = SlidingWindowModel(10, nanos(100))
            model.tryAcquire(50, 10) shouldBe true
            model.shouldSay(50, 0, 150, 1L to 60, 10L to 150)
            model.shouldSay(110, 1, 90, 1L to 0, 2L to 10)
            model.shouldSay(149, 4, 51)
            model.tryAcquire(109, 1) shouldBe false // 10 × 0.91 + 1
            model.tryAcquire(110, 1) shouldBe true
            model.shouldSay(110, 0, 190, 1L to 10, 9L to 90, 10L to 190)
            model.shouldSay(90, 0, 210, 1L to 30) // stepped back: start of window 1, level 11
            model.debit(120, 30) // current 31
            model.shouldSay(120, 0, 180, 1L to 151, 5L to 164, 10L to 180) // 31 × 0.29 = 8.99; 31 × 0.16 = 4.96
            model.refund(120, 100) // the previous 10 × 0.8 stay
            model.shouldSay(120, 2, 80, 3L to 10)
        }

        test("sliding log: 3 per 10 ns") {
            val model = SlidingLogModel(3, nanos(10))
            model.tryAcquire(0, 1) shouldBe true
            model.tryAcquire(4, 1) shouldBe true
            model.tryAcquire(4, 1) shouldBe true
            model.shouldSay(9, 0, 5, 1L to 1, 2L to 5, 3L to 5)
            model.shouldSay(10, 1, 4, 1L to 0, 2L to 4)
            model.shouldSay(-2, 0, 16, 1L to 12) // stepped back: counts as 4
            model.tryAcquire(12, 1) shouldBe true
            model.shouldSay(5, 0, 17, 1L to 9) // counts as 12
            model.refund(12, 2) // both of 4: the oldest
            model.shouldSay(12, 2, 10)
            model.shouldSay(0, 2, 22, 3L to 22) // still counts as 12
            model.debit(13, 4)
            model.shouldSay(13, 0, 10, 1L to 10)
            model.shouldSay(23, 3, 0)
        }

        test("3 per second grants at ⌈k·10⁹/3⌉; 7 per 3 s for 10⁴ s from a full bucket of 10 give 23,343") {
            val third = TokenBucketModel(3, nanos(1_000_000_000), 3)
            third.tryAcquire(0, 3) shouldBe true
            for (instant in listOf(333_333_334L, 666_666_667L, 1_000_000_000L)) {
                third.tryAcquire(instant - 1, 1) shouldBe false
                third.tryAcquire(instant, 1) shouldBe true
            }
            val model = TokenBucketModel(7, nanos(3_000_000_000), 10)
            var now = 0L
            var granted = 0
            while (now <= 10_000_000_000_000) if (model.tryAcquire(now, 1)) granted++ else now += model.waitFor(now, 1).longValueExact()
            granted shouldBe 23_343
        }

        test("waits beyond 64 bits are exact, and a bad number of permits is refused") {
            val model = TokenBucketModel(1, nanos(Long.MAX_VALUE), 2)
            model.debit(Long.MAX_VALUE, Long.MAX_VALUE)
            model.waitFor(Long.MIN_VALUE, 2) shouldBe nanos(Long.MAX_VALUE).let { it * it + it - nanos(Long.MIN_VALUE) }
            for (permits in listOf(Long.MIN_VALUE, -1, 0, 3)) {
                shouldThrow<IllegalArgumentException> { model.tryAcquire(0, permits) }
                shouldThrow<IllegalArgumentException> { model.waitFor(0, permits) }
            }
            shouldThrow<IllegalArgumentException> { model.refund(0, 0) }
            shouldThrow<IllegalArgumentException> { model.debit(0, 0) }
        }
    })

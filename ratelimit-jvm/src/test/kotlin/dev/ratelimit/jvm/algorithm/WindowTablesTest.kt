package dev.ratelimit.jvm.algorithm

import dev.ratelimit.RateLimit
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import java.time.Duration

/** Exact instants of the window counters and the log, worked out by hand. */
internal class WindowTablesTest :
    FunSpec({
        val minute = 60 * SECOND

        test("a fixed window opens at multiples of its period since the epoch, not at the first call") {
            val window = Played(RateLimit.fixedWindow(5, Duration.ofMinutes(1)))
            window.take(59 * SECOND, 5) shouldBe true
            window.resetAfter(59 * SECOND) shouldBe SECOND
            window.grantsFirstAt(minute, 5)
            window.grantsFirstAt(2 * minute, 1)
        }

        test("the epoch is the clock's, wherever the store's own time begins") {
            val window = Played(RateLimit.fixedWindow(1, Duration.ofMinutes(1)), origin = 59 * SECOND)
            window.take(0) shouldBe true
            window.grantsFirstAt(SECOND)
            window.grantsFirstAt(61 * SECOND)
        }

        test("a fixed window lets through twice its permits across an edge, as it says") {
            val window = Played(RateLimit.fixedWindow(100, Duration.ofMinutes(1)))
            window.take(minute - 1, 100) shouldBe true
            window.take(minute, 100) shouldBe true
            window.take(minute) shouldBe false
        }

        test("a clock stepping back reopens no window") {
            for (limit in listOf(RateLimit.fixedWindow(2, Duration.ofMinutes(1)), RateLimit.slidingWindow(2, Duration.ofMinutes(1)))) {
                val window = Played(limit)
                window.take(minute, 2) shouldBe true
                window.take(minute - 1) shouldBe false
                window.take(0) shouldBe false
            }
            val fixed = Played(RateLimit.fixedWindow(2, Duration.ofMinutes(1)))
            fixed.take(minute, 2)
            fixed.wait(minute - 1) shouldBe minute + 1
        }

        test("the sliding window weighs the previous window to the nanosecond") {
            val window = Played(RateLimit.slidingWindow(10, Duration.ofMinutes(1)))
            window.take(30 * SECOND, 10) shouldBe true
            // 10 * (1 - e/60 s) + n <= 10
            window.grantsFirstAt(minute + 6 * SECOND)
            window.grantsFirstAt(minute + 30 * SECOND, 4)
            window.remaining(minute + 30 * SECOND) shouldBe 0
            window.resetAfter(minute + 30 * SECOND) shouldBe 90 * SECOND
        }

        test("with 7 in the previous window, the third permit comes where sevenths of a period are rounded up") {
            val window = Played(RateLimit.slidingWindow(7, Duration.ofSeconds(1)))
            window.take(0, 7) shouldBe true
            for (k in 1..7L) window.grantsFirstAt(SECOND + (k * SECOND + 6) / 7)
        }

        test("the sliding window's debt is paid over the following windows") {
            val window = Played(RateLimit.slidingWindow(10, Duration.ofSeconds(1)))
            window.debit(0, 20)
            window.wait(0, 10) shouldBe 2 * SECOND
            window.grantsFirstAt(SECOND + SECOND / 2 + SECOND / 20, 1)
        }

        test("the first call after the window sees it empty, and 0:00, 0:59, 1:01 count as they lie: apache/shenyu#6754, swirl#3") {
            val log = Played(RateLimit.slidingLog(2, Duration.ofMinutes(1)))
            log.take(0) shouldBe true
            log.take(59 * SECOND) shouldBe true
            log.take(59 * SECOND + 1) shouldBe false
            log.grantsFirstAt(minute)
            log.take(61 * SECOND) shouldBe false
            log.grantsFirstAt(minute + 59 * SECOND)
            log.take(10 * minute, 2) shouldBe true
        }

        test("a thousand calls in one instant against a limit of a hundred: sockudo#251, redisson#5906") {
            val log = Played(RateLimit.slidingLog(100, Duration.ofSeconds(1)))
            List(1_000) { log.take(5) }.count { it } shouldBe 100
            log.grantsFirstAt(SECOND + 5, 100)
        }

        test("a log of weights waits for as many permits as are wanted to leave") {
            val log = Played(RateLimit.slidingLog(10, Duration.ofSeconds(1)))
            listOf(0L to 4L, 100L to 3L, 200L to 3L).forEach { (now, permits) -> log.take(now, permits) shouldBe true }
            log.wait(300, 4) shouldBe SECOND - 300
            log.wait(300, 5) shouldBe SECOND - 200
            log.wait(300, 10) shouldBe SECOND - 100
            log.grantsFirstAt(SECOND + 100, 7)
        }

        test("idle for two hundred years they are fresh; a day and a nanosecond as periods; a million permits") {
            for (limit in listOf(
                RateLimit.fixedWindow(3, Duration.ofDays(1)),
                RateLimit.slidingWindow(3, Duration.ofDays(1)),
                RateLimit.slidingLog(3, Duration.ofDays(1)),
                RateLimit.fixedWindow(3, Duration.ofNanos(1)),
                RateLimit.slidingWindow(3, Duration.ofNanos(1)),
                RateLimit.slidingLog(3, Duration.ofNanos(1)),
                RateLimit.fixedWindow(Long.MAX_VALUE, Duration.ofSeconds(1)),
                RateLimit.slidingWindow(Long.MAX_VALUE, Duration.ofSeconds(1)),
            )) {
                val window = Played(limit)
                window.take(0, limit.permits()) shouldBe true
                window.take(0) shouldBe false
                window.remaining(200 * YEAR) shouldBe limit.permits()
                window.resetAfter(200 * YEAR) shouldBe 0
                window.take(200 * YEAR, limit.permits()) shouldBe true
                window.take(200 * YEAR) shouldBe false
            }
        }

        test("the sliding window's debt is not forgotten where it is more than one word can count") {
            for (permits in listOf(65_535L, 65_536L)) {
                val window = Played(RateLimit.slidingWindow(permits, Duration.ofMinutes(1)))
                window.debit(0, 10 * permits)
                window.take(minute + minute * 8 / 10) shouldBe false
                window.remaining(minute + minute * 8 / 10) shouldBe 0
                window.take(2 * minute, permits) shouldBe true
            }
        }

        test("what a log gets back are its oldest permits, so that no window of a period holds more than was granted in it") {
            val log = Played(RateLimit.slidingLog(100, Duration.ofSeconds(10)))
            log.take(0, 50) shouldBe true
            log.take(9 * SECOND, 50) shouldBe true
            log.giveBack(9 * SECOND + 1, 60)
            log.remaining(9 * SECOND + 1) shouldBe 60
            log.remaining(10 * SECOND) shouldBe 60
            log.take(10 * SECOND, 61) shouldBe false
            log.grantsFirstAt(19 * SECOND, 100)
        }

        test("windows are one word where index and counts fit") {
            Meter.of(RateLimit.fixedWindow(100, Duration.ofMinutes(1)), 0).shouldBeInstanceOf<PackedMeter>()
            Meter.of(RateLimit.slidingWindow(10_000, Duration.ofMinutes(1)), 0).shouldBeInstanceOf<PackedMeter>()
            Meter.of(RateLimit.slidingWindow(1_000_000, Duration.ofSeconds(1)), 0).shouldBeInstanceOf<SlidingWindow>()
            Meter.of(RateLimit.fixedWindow(Long.MAX_VALUE, Duration.ofSeconds(1)), 0).shouldBeInstanceOf<FixedWindow>()
        }
    })

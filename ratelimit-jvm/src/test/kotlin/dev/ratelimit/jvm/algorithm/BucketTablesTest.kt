package dev.ratelimit.jvm.algorithm

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.model.Fraction
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import java.math.BigInteger
import java.time.Duration

/** Exact instants of the token bucket, worked out by hand; most lines are faults that other limiters had. */
internal class BucketTablesTest :
    FunSpec({
        fun RateLimit.drained(at: Long = 0) = Played(this, at).also { it.take(at, burst()) shouldBe true }

        test("3 a second are granted at the thirds of a second, rounded up") {
            val bucket = RateLimit.perSecond(3.0).drained()
            for (k in 1..3_000L) bucket.grantsFirstAt((k * SECOND + 2) / 3)
        }

        test("7 every 3 seconds for a million seconds, from a full bucket of 10, are 2,333,343") {
            val bucket = Played(RateLimit.tokenBucket(7, Duration.ofSeconds(3)).withBurst(10))
            var granted = 0L
            var now = 0L
            while (now <= 1_000_000 * SECOND) {
                if (bucket.take(now)) granted++ else now += bucket.wait(now)
            }
            granted shouldBe 2_333_343
        }

        test("the second call on a burst of one is refused, and the first one at the edge is granted: governor#107") {
            val bucket = Played(RateLimit.every(Duration.ofSeconds(1)))
            bucket.take(0) shouldBe true
            bucket.take(0) shouldBe false
            bucket.grantsFirstAt(SECOND)
        }

        test("a burst of one at 3 a second allows one of ten calls: a configuration that silently limits nothing") {
            val bucket = Played(RateLimit.perSecond(3.0).withBurst(1))
            List(10) { bucket.take(0) }.count { it } shouldBe 1
        }

        test("980,000,000 every ten seconds, drained and idle for ten seconds, is full: bucket4j#51") {
            val bucket = RateLimit.tokenBucket(980_000_000, Duration.ofSeconds(10)).drained()
            bucket.remaining(5 * SECOND) shouldBe 490_000_000
            bucket.take(10 * SECOND, 980_000_000) shouldBe true
            bucket.remaining(10 * SECOND + DAY / 2) shouldBe 980_000_000
        }

        test("idle for years it is full, whatever the rate") {
            val limits = mapOf(1.0 to 200 * YEAR, 29.0 to 10 * YEAR, 31.0 to 200 * YEAR, 2e9 to 100 * YEAR)
            for ((rate, idle) in limits) {
                val bucket = RateLimit.perSecond(rate).drained()
                bucket.remaining(idle) shouldBe rate.toLong()
                bucket.take(idle, rate.toLong()) shouldBe true
                bucket.take(idle) shouldBe false
            }
        }

        test("one in ten billion seconds grants one, and then none for the life of the clock: golang#71154") {
            val bucket = Played(RateLimit.perSecond(1e-10))
            bucket.take(0) shouldBe true
            bucket.take(SECOND) shouldBe false
            bucket.take(290 * YEAR) shouldBe false
            (bucket.wait(SECOND) > 290 * YEAR) shouldBe true
        }

        test("2,000 a second count every half millisecond, and 2,000,000,000 two for each nanosecond: redis-cell#80, governor#203") {
            val fast = RateLimit.perSecond(2_000.0).drained()
            fast.grantsFirstAt(500_000)
            val faster = RateLimit.perSecond(2e9).drained()
            faster.take(1, 3) shouldBe false
            faster.take(1, 2) shouldBe true
            val each = RateLimit.perSecond(1e9).withBurst(1).drained()
            for (now in 1..1_000L) {
                each.take(now) shouldBe true
                each.take(now) shouldBe false
            }
        }

        test("one a day") {
            val bucket = RateLimit.perDay(1.0).drained()
            bucket.wait(1) shouldBe DAY - 1
            bucket.grantsFirstAt(DAY)
            bucket.grantsFirstAt(2 * DAY)
        }

        test("a burst of Long.MAX_VALUE counts down exactly and its waits do not overflow: apache/pulsar#25262") {
            val bucket = Played(RateLimit.perSecond(10.0).withBurst(Long.MAX_VALUE))
            bucket.take(0, Long.MAX_VALUE - 3) shouldBe true
            bucket.remaining(0) shouldBe 3
            bucket.take(0, 4) shouldBe false
            bucket.wait(0, 4) shouldBe SECOND / 10
            bucket.wait(0, Long.MAX_VALUE) shouldBe Long.MAX_VALUE
            bucket.resetAfter(0) shouldBe Long.MAX_VALUE
            bucket.take(SECOND / 10, 4) shouldBe true
        }

        test("weights: ten of ten, then four, then all again") {
            val bucket = RateLimit.perSecond(10.0).drained()
            bucket.grantsFirstAt(4 * SECOND / 10, 4)
            bucket.grantsFirstAt(14 * SECOND / 10, 10)
        }

        test("refillLosesNothingWhenPolledFast: svix/diom#115, Flaxoos") {
            val bucket = RateLimit.every(Duration.ofSeconds(1)).drained()
            List(10_000) { ms -> bucket.take(ms * 1_000_000L + 1_000_000) }.count { it } shouldBe 10
            val slow = RateLimit.every(Duration.ofSeconds(1)).drained()
            List(1_000) { i -> slow.take((i + 1) * 999_000_000L) }.count { it } shouldBe 500
        }

        test("a denied call changes nothing: eight of ten, five denied, one allowed; golang#52584") {
            val bucket = Played(RateLimit.perSecond(10.0))
            bucket.take(0, 8) shouldBe true
            bucket.take(0, 5) shouldBe false
            bucket.take(0, 1) shouldBe true
            bucket.remaining(0) shouldBe 1
        }

        test("a clock that alternates between two instants mints nothing: golang#56287, Spring Cloud Gateway#1688") {
            for (limit in listOf(RateLimit.perSecond(10.0), RateLimit.perSecond(31.0), RateLimit.slidingLog(10, Duration.ofSeconds(1)))) {
                val bucket = Played(limit)
                val instants = longArrayOf(3_600 * SECOND, 0)
                val granted = (0 until 100_000).count { bucket.take(instants[it % 2]) }
                granted.toLong() shouldBe limit.burst()
            }
        }

        test("a rate without an exact form in 64 bits errs toward less, by less than a billionth") {
            val limits =
                listOf(0.1 + 0.2, 0.00971234567890123, 12_345.678901234567).flatMap {
                    listOf(RateLimit.perMinute(it), RateLimit.perHour(it))
                } +
                    listOf(7L, 999_983L).map { RateLimit.tokenBucket(it, Duration.ofDays(300 * 365)) }
            for (limit in limits) {
                val pace = Pace.of(limit)
                val nanos = BigInteger.valueOf(limit.period().seconds) * BigInteger.valueOf(SECOND)
                val error =
                    Fraction.of(limit.permits()) / Fraction.of(nanos) - Fraction.of(pace.permits) / Fraction.of(pace.nanos)
                withClue("$limit as ${pace.permits} in ${pace.nanos} ns") {
                    (error >= Fraction.ZERO) shouldBe true
                    (error * Fraction.of(1_000_000_000) * Fraction.of(nanos) < Fraction.of(limit.permits())) shouldBe true
                }
            }
        }

        test("most limits are one word, and the awkward ones are exact in three") {
            Meter.of(RateLimit.perSecond(29.0), 0).shouldBeInstanceOf<TokenBucket>()
            Meter.of(RateLimit.perSecond(1e9), 0).shouldBeInstanceOf<TokenBucket>()
            Meter.of(RateLimit.perMinute(100.0).withBurst(1_000_000), 0).shouldBeInstanceOf<TokenBucket>()
            val awkward = RateLimit.perSecond(999_999_937.0).withBurst(3)
            Meter.of(awkward, 0).shouldBeInstanceOf<WideTokenBucket>()
            val bucket = awkward.drained()
            // Each nanosecond brings a little less than one permit, so after k of them there have been k - 1.
            var granted = 0L
            for (now in 1..1_000L) {
                while (bucket.take(now)) granted++
                granted shouldBe now - 1
            }
        }
    })

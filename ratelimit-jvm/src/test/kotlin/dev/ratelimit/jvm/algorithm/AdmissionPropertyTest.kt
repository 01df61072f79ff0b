package dev.ratelimit.jvm.algorithm

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.model.Fraction
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.booleans.shouldBeTrue
import io.kotest.matchers.shouldBe
import java.math.BigInteger
import java.time.Duration
import kotlin.random.Random

/** What the definitions promise about any history of grants, checked on the bare list of grants. */
internal class AdmissionPropertyTest :
    FunSpec({
        data class Grant(
            val at: Long,
            val permits: Long,
        )

        fun Random.smallLimit(algorithm: Algorithm): RateLimit {
            val permits = nextLong(1, 12)
            val period = Duration.ofNanos(nextLong(1, 300))
            return when (algorithm) {
                Algorithm.TOKEN_BUCKET -> RateLimit.tokenBucket(permits, period).withBurst(nextLong(1, 12))
                Algorithm.LEAKY_BUCKET -> RateLimit.leakyBucket(permits, period, nextLong(1, 12))
                Algorithm.FIXED_WINDOW -> RateLimit.fixedWindow(permits, period)
                Algorithm.SLIDING_WINDOW -> RateLimit.slidingWindow(permits, period)
                Algorithm.SLIDING_LOG -> RateLimit.slidingLog(permits, period)
            }
        }

        fun Random.history(limit: RateLimit): List<Grant> {
            val bucket = Played(limit)
            val grants = mutableListOf<Grant>()
            var now = 0L
            repeat(120) {
                val permits = nextLong(1, limit.burst() + 1)
                val wait = bucket.wait(now, permits)
                if (bucket.take(now, permits)) grants += Grant(now, permits)
                now += if (nextBoolean()) wait else nextLong(limit.period().toNanos() / limit.permits() + 2)
            }
            return grants
        }

        /** The most permits that any window from one grant to another may hold, given how far apart they are. */
        fun RateLimit.allows(
            permits: Long,
            first: Long,
            last: Long,
        ): Boolean {
            val nanos = period().toNanos()
            val span = last - first
            return when (algorithm()) {
                Algorithm.TOKEN_BUCKET, Algorithm.LEAKY_BUCKET ->
                    BigInteger.valueOf(permits - burst()) * BigInteger.valueOf(nanos) <=
                        BigInteger.valueOf(span) * BigInteger.valueOf(permits())
                Algorithm.FIXED_WINDOW -> permits <= (last / nanos - first / nanos + 1) * permits()
                // Two neighbouring windows hold at most their permits and the weighted rest: less than twice the permits in a period.
                Algorithm.SLIDING_WINDOW -> permits <= (span / nanos + 2) * permits()
                Algorithm.SLIDING_LOG -> permits <= (span / nanos + 1) * permits()
            }
        }

        for (algorithm in Algorithm.entries) {
            test("$algorithm: no window of any length holds more than the definition allows") {
                for (seed in 1..400) {
                    val random = Random(seed)
                    val limit = random.smallLimit(algorithm)
                    val grants = random.history(limit)
                    for (i in grants.indices) {
                        var sum = 0L
                        for (j in i until grants.size) {
                            sum += grants[j].permits
                            withClue("seed $seed, $limit: $sum from ${grants[i].at} to ${grants[j].at}") {
                                limit.allows(sum, grants[i].at, grants[j].at).shouldBeTrue()
                            }
                        }
                    }
                }
            }

            test("$algorithm: a denied call waits exactly as told, denied one nanosecond before and granted then") {
                for (seed in 1..2_000) {
                    val random = Random(seed)
                    val limit = random.limit(algorithm)
                    val bucket = Played(limit)
                    var now = random.nextLong(1L shl 40)
                    repeat(20) {
                        val permits = random.nextLong(1, minOf(limit.burst(), 1_000) + 1)
                        val wait = bucket.wait(now, permits)
                        if (wait == 0L) {
                            bucket.take(now, permits) shouldBe true
                        } else if (wait < 1L shl 60 && now < 1L shl 60) {
                            bucket.grantsFirstAt(now + wait, permits)
                            now += wait
                        }
                    }
                }
            }
        }

        test("the counter of the sliding window never exceeds its own weighted sum") {
            for (seed in 1..400) {
                val random = Random(seed)
                val limit = random.smallLimit(Algorithm.SLIDING_WINDOW)
                val nanos = limit.period().toNanos()
                val grants = random.history(limit)
                for ((i, grant) in grants.withIndex()) {
                    val index = grant.at / nanos
                    val current = grants.take(i + 1).filter { it.at / nanos == index }.sumOf { it.permits }
                    val previous = grants.filter { it.at / nanos == index - 1 }.sumOf { it.permits }
                    val weight = Fraction.of(nanos - grant.at % nanos) / Fraction.of(nanos)
                    withClue("seed $seed, $limit at ${grant.at}") {
                        (Fraction.of(previous) * weight + Fraction.of(current) <= Fraction.of(limit.permits())).shouldBeTrue()
                    }
                }
            }
        }
    })

package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.conformance.KEY
import dev.ratelimit.jvm.conformance.charge
import dev.ratelimit.jvm.conformance.limit
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.ask
import dev.ratelimit.spi.Adjustment
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import java.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** Nothing stays in Redis for ever. */
internal class TtlTest :
    FunSpec({
        val server = RedisServer()
        afterSpec { server.close() }
        val periods = listOf(20.milliseconds, 3.seconds, 7.minutes)

        fun checkAll(timeToFull: Long) {
            val keys = server.ask { keys("*") }
            for (key in keys) {
                val ttl = server.ask { pttl(key) }
                // Gone meanwhile: that is what it is for.
                if (ttl != -2L) withClue(key) { ttl shouldBeInRange 1L..2 * timeToFull + 1_000 }
            }
        }

        for (algorithm in Algorithm.entries) {
            test("$algorithm: each key expires within 2 × time to full + 1 s, whatever was done (redisson#4007, redisson#4301)") {
                storeAt(server.uri).use { store ->
                    for (period in periods) {
                        server.ask { flushall() }
                        val limit = algorithm.limit(5, period)
                        val timeToFull = (if (algorithm == Algorithm.SLIDING_WINDOW) period * 2 else period).inWholeMilliseconds + SPAN
                        val half = algorithm.limit(3, period)
                        val charge = listOf(limit.charge(1, keyOf("reserve")))
                        repeat(7) { store.take(key = keyOf("take"), limit = limit) }
                        store.take(5, keyOf("all"), limit)
                        store.reserveAsync(charge, 3, period.inWholeNanoseconds).answer()
                        store.peekAsync(listOf(limit.charge(1, keyOf("peek"))), 0).answer()
                        store.adjustAsync(listOf(Adjustment(keyOf("adjust"), limit, 2))).answer()
                        store.take(2, keyOf("other limit"), limit)
                        store.take(1, keyOf("other limit"), half)
                        checkAll(timeToFull)
                        store.adjustAsync(listOf(Adjustment(keyOf("adjust"), limit, -2))).answer()
                        checkAll(timeToFull)
                    }
                }
            }
        }

        test("what limiters declare expires too") {
            server.ask { flushall() }
            storeAt(server.uri).use { store ->
                store.declareAsync("limiter", "me", listOf(SLOW), Duration.ofSeconds(5)).answer() shouldBe setOf(SLOW)
                server.ask { keys("*") } shouldHaveSize 1
                server.ask { pttl(keys("*").single()) } shouldBeInRange 1L..5_000L
            }
        }

        test("a reset forgets exactly one key, also one that reads like a pattern (redis#5660)") {
            server.ask { flushall() }
            storeAt(server.uri).use { store ->
                val keys = listOf("user:*", "user:1", "user:2", "user:?", "*", "user:[12]").map(::keyOf)
                keys.forEach { store.take(key = it).isAllowed shouldBe true }
                store.resetAsync(listOf(keys.first())).answer()
                server.ask { keys("*") }.toSet() shouldBe keys.drop(1).map { nameOf(it) }.toSet()
                store.resetAsync(keys).answer()
                server.ask { keys("*") }.shouldBeEmpty()
            }
        }

        test("a bucket that is full again leaves no key behind") {
            server.ask { flushall() }
            storeAt(server.uri).use { store ->
                val limit = RateLimit.tokenBucket(5, Duration.ofHours(1))
                store.take(limit = limit)
                store.adjustAsync(listOf(Adjustment(KEY, limit, -1))).answer()
                server.ask { keys("*") }.shouldBeEmpty()
            }
        }
    })

/** How far turns that are granted together lie apart. */
private const val SPAN = 100L

package dev.ratelimit.jvm.shared

import dev.ratelimit.RateLimit
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.time.Duration
import kotlin.random.Random

/** Limits and states as words. */
internal class StoredLimitTest :
    FunSpec({
        test("a limit comes back as it went, also an extreme one") {
            val longest = Duration.ofSeconds(Long.MAX_VALUE / 1_000)
            val periods = listOf(Duration.ofNanos(1), Duration.ofSeconds(1), Duration.ofNanos(Long.MAX_VALUE), longest)
            var tried = 0
            for (permits in listOf(1L, 7, 999_999_937, 1L shl 40, Long.MAX_VALUE)) {
                for (period in periods) {
                    val limits =
                        listOf(
                            { RateLimit.tokenBucket(permits, period) },
                            { RateLimit.tokenBucket(permits, period).withBurst(1) },
                            { RateLimit.tokenBucket(permits, period).withBurst(Long.MAX_VALUE) },
                            { RateLimit.leakyBucket(permits, period, Long.MAX_VALUE) },
                            { RateLimit.leakyBucket(permits, period, 1) },
                            { RateLimit.fixedWindow(permits, period) },
                            { RateLimit.slidingWindow(permits, period) },
                            { RateLimit.slidingLog(permits, period) },
                        )
                    for (limit in limits.mapNotNull { runCatching(it).getOrNull() }) {
                        StoredLimit.check(limit)
                        withClue("$limit") { StoredLimit.of(limit).limit() shouldBe limit }
                        tried++
                    }
                }
            }
            (tried > 100) shouldBe true
        }

        test("numbers that are no limit are none, and throw nothing") {
            val random = Random(1)
            repeat(20_000) {
                val number = { random.nextLong() shr random.nextInt(64) }
                StoredLimit(random.nextInt(-2, 120), number(), number(), number()).limit()
            }
            StoredLimit(0, 1, 1, 1).limit() shouldBe null
            StoredLimit(1, 0, 1, 1).limit() shouldBe null
            StoredLimit(1, 1, Long.MIN_VALUE, 1).limit() shouldBe null
            StoredLimit.DECLARATIONS.limit() shouldBe null
        }

        test("a state's word is neither that of a free slot nor a mark, and comes back as it went but where marks are") {
            val states = listOf(Long.MIN_VALUE, Long.MIN_VALUE + 2, -1L, 0, 1, Long.MAX_VALUE) + List(10_000) { Random(it).nextLong() }
            for (state in states) {
                val word = State.encoded(state)
                State.isState(word) shouldBe true
                State.isMark(word) shouldBe false
                State.decoded(word) shouldBe if (state < Long.MIN_VALUE + (1L shl 44)) Long.MIN_VALUE + (1L shl 44) else state
            }
            for (record in listOf(0, 1, 1_023)) {
                for (sequence in listOf(0L, 1, State.SEQUENCE)) {
                    val mark = State.mark(record, sequence)
                    State.isMark(mark) shouldBe true
                    State.recordOf(mark) shouldBe record.toLong()
                    State.sequenceOf(mark) shouldBe sequence
                }
            }
            State.isMark(State.FREE) shouldBe false
            State.isState(State.FREE) shouldBe false
        }
    })

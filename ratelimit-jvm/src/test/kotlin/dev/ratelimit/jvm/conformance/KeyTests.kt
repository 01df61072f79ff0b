package dev.ratelimit.jvm.conformance

import dev.ratelimit.RateLimit
import dev.ratelimit.spi.BucketKey
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.time.Duration

/** No two keys share a bucket, and whatever a key contains is only a name. */
internal fun FunSpec.keyTests(open: () -> StoreFixture) {
    val limit = RateLimit.tokenBucket(1, Duration.ofHours(1))

    storeTest("joined keys do not collide: every strange key has a bucket of its own", open) {
        for (key in STRANGE) withClue("$key") { take(limit.charge(key = key)) shouldBeAllowed true }
        for (key in STRANGE) withClue("$key") { take(limit.charge(key = key)) shouldBeAllowed false }
    }

    storeTest("a reset removes exactly one key: neither a pattern nor a prefix hits others", open) {
        for (key in STRANGE) take(limit.charge(key = key)) shouldBeAllowed true
        for (reset in STRANGE) {
            reset(reset)
            for (key in STRANGE) withClue("reset $reset, ask $key") { left(limit, key) shouldBe if (key == reset) 1 else 0 }
            take(limit.charge(key = reset)) shouldBeAllowed true
        }
    }

    storeTest("a reset of several keys leaves the others", open) {
        for (key in STRANGE) take(limit.charge(key = key)) shouldBeAllowed true
        val (some, others) = STRANGE.withIndex().partition { it.index % 2 == 0 }
        reset(*some.map { it.value }.toTypedArray())
        for (key in some) left(limit, key.value) shouldBe 1
        for (key in others) left(limit, key.value) shouldBe 0
    }

    storeTest("a reset of a key that nobody used, or twice of the same, does no harm", open) {
        reset(KEY, KEY)
        left(limit) shouldBe 1
        take(limit.charge()) shouldBeAllowed true
        reset(KEY, KEY)
        take(limit.charge()) shouldBeAllowed true
        take(limit.charge()) shouldBeAllowed false
    }

    eachAlgorithm("after a reset a bucket is as new, debt and all", open) { algorithm ->
        val ten = algorithm.limit(10, kotlin.time.Duration.parse("1h"))
        take(ten.charge(10)) shouldBeAllowed true
        adjust(ten.adjustment(5))
        reset(KEY)
        peek(ten.charge()).resetAfterNanos() shouldBe 0
        take(ten.charge(10)).shouldLeave(0)
        take(ten.charge()) shouldBeAllowed false
    }
}

private val NAMES =
    listOf("", " ", "null", "a", "A", "0", "*", "user:*", "user:1", "user:?", "user[12]", "{a}{b}", "{a}", "{}", "}{", "a:b") +
        listOf("a\\:b", "a:b:c", "%", "a/b", "'; DROP", "\u0000", "a\u0000b", "\n", "\"", "\u00e9", "e\u0301") +
        listOf("\u043a\u043b\u044e\u0447", "\ud83d\udd11", "k".repeat(1_000))

internal fun BucketKey.copyOf(key: String) = BucketKey(limiter, key, slot)

private val STRANGE =
    NAMES.map { BucketKey("limiter", it, 0) } +
        BucketKey("limiter", null, 0) +
        BucketKey("limiter", "a", 1) +
        BucketKey("limiter", "a", 10) +
        BucketKey("limiter", "a:1", 0) +
        BucketKey("limiter", "a1", 0) +
        BucketKey("limiter1", "a", 0) +
        BucketKey("limiter:a", "a", 0) +
        BucketKey("limiter", "b:c", 0) +
        BucketKey("limiter:b", "c", 0) +
        BucketKey("limiter:a", "b:c", 0) +
        BucketKey("limiter:a:b", "c", 0) +
        BucketKey("limiter:a:b:c", null, 0) +
        BucketKey("*", "*", 0) +
        BucketKey("", "", 0) +
        BucketKey("", null, 0)

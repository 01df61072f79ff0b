package dev.ratelimit.jvm.redis

import dev.ratelimit.spi.BucketKey
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeAtMost
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldEndWith
import io.kotest.matchers.string.shouldStartWith
import io.lettuce.core.cluster.SlotHash
import java.util.UUID
import kotlin.random.Random

/** Names of buckets: no two collide, braces stay safe, and a human can read them. */
internal class RedisKeysTest :
    FunSpec({
        val keys = RedisKeys("ratelimit:")

        test("a human can read them") {
            keys.nameOf(BucketKey("sec.gov", null, 0)) shouldBe "ratelimit:{sec.gov}:0"
            keys.nameOf(BucketKey("users", "alice@example.org", 1)) shouldBe "ratelimit:{users|alice@example.org}:1"
            keys.nameOf(BucketKey("users", 42L, 0)) shouldBe "ratelimit:{users|Long#42}:0"
            keys.nameOf(BucketKey("users", UUID(1, 2), 0)) shouldBe "ratelimit:{users|UUID#00000000-0000-0001-0000-000000000002}:0"
        }

        test("joined keys do not collide (better-auth#7300): whatever limiters and keys are called") {
            val random = Random(1)
            val pieces =
                listOf(
                    "",
                    "a",
                    "b",
                    "|",
                    "{",
                    "}",
                    "%",
                    "#",
                    ":",
                    "%007c",
                    "Long#1",
                    "1",
                    "\u0000",
                    "é",
                    "e\u0301",
                    "\ud83d",
                    "\udd11",
                    "🔑",
                )

            fun word() = List(random.nextInt(4)) { pieces.random(random) }.joinToString("")

            fun key(): Any? =
                when (random.nextInt(7)) {
                    0 -> null
                    1 -> random.nextInt(3)
                    2 -> random.nextLong(3)
                    3 -> random.nextInt(3).toShort()
                    4 -> word() + "x".repeat(random.nextInt(190, 210))
                    else -> word()
                }
            val owners = HashMap<String, BucketKey>()
            repeat(100_000) {
                val bucket = BucketKey(word(), key(), random.nextInt(3))
                val name = keys.nameOf(bucket)
                withClue(name) { owners.getOrPut(name) { bucket } shouldBe bucket }
                val other = keys.nameOf(BucketKey(bucket.limiter, bucket.key, bucket.slot + 1))
                withClue("$name and $other are one tag") { SlotHash.getSlot(name) shouldBe SlotHash.getSlot(other) }
                withClue(name) { name.count { it == '{' || it == '}' } shouldBe 2 }
            }
        }

        test("a number is not its text, nor another kind of number") {
            val names = listOf("1", 1, 1L, 1.toShort(), 1.0, "Integer#1", '1').map { keys.nameOf(BucketKey("users", it, 0)) }
            names.toSet().size shouldBe names.size
        }

        test("a long key is hashed, and differs from its neighbours still") {
            val long = "k".repeat(10_000)
            val name = keys.nameOf(BucketKey("users", long, 3))
            name.length shouldBeAtMost 100
            name shouldStartWith "ratelimit:{#"
            name shouldEndWith "}:3"
            (keys.nameOf(BucketKey("users", long + "k", 3)) == name) shouldBe false
        }

        test("a key without a text of its own is refused, for it would be another bucket in each process") {
            class Hashed {
                override fun equals(other: Any?) = other is Hashed

                override fun hashCode() = 7
            }
            for (key in listOf(Any(), ByteArray(3), Hashed())) {
                val failure = shouldThrow<IllegalArgumentException> { keys.nameOf(BucketKey("users", key, 0)) }
                failure.message shouldContain key.javaClass.name
                failure.message shouldContain "use a String, a number, a UUID"
            }
        }

        test("a prefix with a brace is refused") {
            for (prefix in listOf("{", "a}", "{app}:")) {
                shouldThrow<IllegalArgumentException> { RedisKeys.checked(prefix) }.message shouldContain
                    prefix
            }
        }
    })

package dev.ratelimit.jvm.store

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.MemoryStore
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeAtMost
import io.kotest.matchers.shouldBe

/** Keys of every kind are told apart by `equals`, whatever their hash. */
internal class CollidingKeysTest :
    FunSpec({
        val hourly = RateLimit.perHour(1.0)

        class Colliding(
            val id: Int,
        ) {
            override fun equals(other: Any?) = other is Colliding && other.id == id

            override fun hashCode() = 42
        }

        test("keys of one hash have a bucket each, in one chain") {
            val store = MemoryStore(ManualClock())
            repeat(2_000) { store.take(hourly, Colliding(it)).isAllowed shouldBe true }
            repeat(2_000) { store.take(hourly, Colliding(it)).isAllowed shouldBe false }
            store.size shouldBe 2_000
            store.reset(listOf(bucketOf(Colliding(1_000))))
            repeat(2_000) { store.left(hourly, Colliding(it)) shouldBe if (it == 1_000) 1 else 0 }
        }

        test("a flood of keys of one hash is bounded and served") {
            val store = MemoryStore(ManualClock(), 500)
            repeat(2) { store.take(hourly, Colliding(-1)) }
            repeat(10_000) {
                store.take(hourly, Colliding(it)).isAllowed shouldBe true
                store.size shouldBeAtMost 500
            }
            store.left(hourly, Colliding(-1)) shouldBe 0
        }

        test("keys are objects: one, 1, 1L and \"1\" are four keys, and so are equal texts of one hash two") {
            val store = MemoryStore(ManualClock())
            val numbers = listOf(1.toShort(), 1, 1L, "1", '1', 1.0)
            val keys = numbers + listOf("Aa", "BB", null, "null", listOf(1), setOf(1), Pair("a", 1), Thread.State.NEW, Unit)
            for (key in keys) withClue("$key") { store.take(hourly, key).isAllowed shouldBe true }
            for (key in keys) withClue("$key") { store.take(hourly, key).isAllowed shouldBe false }
            store.size shouldBe keys.size
        }

        test("an equal key is the same key, though it is another object") {
            data class Tenant(
                val name: String,
                val region: Int,
            )
            val tenants = KeyedRateLimiter<Tenant>("tenants", hourly, store = MemoryStore(ManualClock()))
            tenants[Tenant("a", 1)].tryAcquire().isAllowed shouldBe true
            tenants[Tenant("a", 1)].tryAcquire().isAllowed shouldBe false
            tenants[Tenant("a", 2)].tryAcquire().isAllowed shouldBe true
        }
    })

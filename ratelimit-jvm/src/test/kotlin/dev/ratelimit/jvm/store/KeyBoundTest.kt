package dev.ratelimit.jvm.store

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.conformance.inThreads
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeAtMost
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger

/** How many buckets a memory store keeps, and what it does when there is no room. */
internal class KeyBoundTest :
    FunSpec({
        val hourly = RateLimit.perHour(5.0)

        test("a full map locks nobody out: each new key is served, and there are never more than maxKeys") {
            for (maxKeys in listOf(1, 2, 3, 16, 100, 4_095, 4_096, 10_000)) {
                val store = MemoryStore(ManualClock(), maxKeys)
                repeat(3 * maxKeys) { key ->
                    store.take(hourly, key).isAllowed shouldBe true
                    withClue("maxKeys $maxKeys, key $key") { store.size shouldBe minOf(key + 1, maxKeys) }
                }
            }
        }

        test("the bound holds after many threads made keys at once") {
            for (maxKeys in listOf(1, 7, 1_000, 5_000)) {
                val store = MemoryStore(ManualClock(), maxKeys)
                inThreads(4) { thread -> repeat(10_000) { store.take(hourly, "$thread-$it") } }
                withClue("maxKeys $maxKeys") { store.size shouldBeAtMost maxKeys }
            }
        }

        test("a bound below 1 is refused when built") {
            for (maxKeys in listOf(0, -1, Int.MIN_VALUE)) {
                shouldThrow<IllegalArgumentException> { MemoryStore(ManualClock(), maxKeys) }.message shouldContain "maxKeys $maxKeys "
            }
        }

        fullStoreTests(Bounded::inMemory)
    })

/** What a store that is full does, on one that [open] makes. */
internal fun FunSpec.fullStoreTests(open: (ManualClock, Int) -> Bounded) {
    val hourly = RateLimit.perHour(5.0)

    // On a thread of its own: a store that makes room for one bucket of a list by dropping another of it never comes to an end.
    test("a full store serves new keys under several limits") {
        val limits = listOf(hourly, RateLimit.perDay(10.0), RateLimit.slidingLog(5, java.time.Duration.ofHours(1)))
        for (maxKeys in listOf(3, 4, 5, 6, 50, 500)) {
            val store = open(ManualClock(), maxKeys)
            val served = CompletableFuture.supplyAsync { (1..1_000).count { store.takeAll(limits, it).isAllowed } }
            withClue("maxKeys $maxKeys") { served.get(30, TimeUnit.SECONDS) shouldBe 1_000 }
            store.size shouldBeAtMost store.most
        }
    }

    test("threads that share a store too small for their lists are all served") {
        val limits = listOf(hourly, RateLimit.perDay(10.0))
        val store = open(ManualClock(), 4)
        val served = AtomicInteger()
        val calls = CompletableFuture.runAsync {
            inThreads(4) { thread -> repeat(2_000) { if (store.takeAll(limits, "$thread-$it").isAllowed) served.incrementAndGet() } }
        }
        calls.get(30, TimeUnit.SECONDS)
        served.get() shouldBe 8_000
    }

    test("a change of limits in a full store costs no bucket its place") {
        val store = open(ManualClock(), 3)
        for (key in 0..2) store.take(hourly, key, 5).isAllowed shouldBe true
        repeat(10) { turn ->
            for (key in 0..2) store.take(hourly.withBurst(4L + turn % 2), key).isAllowed shouldBe false
        }
        store.size shouldBe 3
    }

    test("one key in a store for one key is never dropped, however many threads ask for it first") {
        repeat(300) {
            val store = open(ManualClock(), 1)
            val granted = AtomicInteger()
            inThreads(3) { repeat(5) { if (store.take(hourly, "key").isAllowed) granted.incrementAndGet() } }
            granted.get() shouldBe 5
        }
    }
}

package dev.ratelimit.jvm.shared

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.RateLimiters
import dev.ratelimit.jvm.SharedMemoryStore
import dev.ratelimit.jvm.conformance.inThreads
import dev.ratelimit.jvm.conformance.limit
import dev.ratelimit.jvm.store.ManualClock
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.LocalRateLimitStore
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.time.Duration
import java.util.UUID
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes

/** Two stores on one file are one; and what one of them is told, or suffers, is no harm to the other. */
internal class TwoStoresTest :
    FunSpec({
        val folder = tempdir().toPath()
        var number = 0
        val opened = ArrayList<SharedMemoryStore>()
        afterTest {
            opened.forEach { it.close() }
            opened.clear()
        }

        fun stores(clock: ManualClock = ManualClock(1_795_262_399_987_654_321)): List<SharedMemoryStore> {
            val path = folder.resolve("limits${number++}")
            return List(2) { SharedMemoryStore.open(path, 100, clock) }.also(opened::addAll)
        }

        fun LocalRateLimitStore.take(
            limit: RateLimit,
            key: Any?,
            limiter: String = "limiter",
            permits: Long = 1,
        ) = tryAcquire(listOf(Charge(BucketKey(limiter, key, 0), limit, permits)), clock().nanoTime(), Long.MAX_VALUE)

        val once = RateLimit.perHour(1.0)

        test("better-auth#7300: keys that are not the same do not share a bucket, in either store; those that are the same do") {
            val (first, second) = stores()
            val id = UUID.randomUUID()
            val keys: List<Pair<String, Any?>> =
                listOf("a:b" to "c", "a" to "b:c", "l" to 1, "l" to "1", "l" to 1L, "l" to '1', "l" to "", "l" to null, "l" to "null") +
                    listOf("l" to id, "l" to "$id", "l" to Algorithm.SLIDING_LOG, "l" to "SLIDING_LOG", "l" to "\ud800", "l" to "\udfff") +
                    listOf("l" to "\ud800\udc00", "l" to "\udc00\ud800", "l" to "?", "l" to "\ufffd", "\ud800" to "l", "\udfff" to "l") +
                    listOf("l" to "s", "l" to "sx", "lx" to "", "l" to "x", "" to "", "" to null, "l" to listOf(1, 2), "l" to "[1, 2]")
            for ((limiter, key) in keys) withClue("$limiter, $key") { first.take(once, key, limiter).isAllowed shouldBe true }
            for ((limiter, key) in keys) withClue("$limiter, $key") { second.take(once, key, limiter).isAllowed shouldBe false }
        }

        test("a key without a text of its own is refused with what to write instead") {
            class Nameless

            val (first, _) = stores()
            for (key in listOf(Nameless(), Any(), intArrayOf(1))) {
                val message = shouldThrow<IllegalArgumentException> { first.take(once, key) }.message.orEmpty()
                message shouldContain "has no text that is the same in every process; use a String, a number, a UUID"
            }
        }

        for (algorithm in Algorithm.entries) {
            test("$algorithm: a limit that one store changes rules in both, and the tokens that were used stay used") {
                val clock = ManualClock(1_795_262_399_987_654_321)
                val (first, second) = stores(clock)
                val ten = algorithm.limit(10, 1.hours)
                val twelve = algorithm.limit(12, 1.hours)
                first.take(ten, "key", permits = 7).isAllowed shouldBe true
                // A token bucket keeps the 3 tokens that are left; of the others 7 are used, so 5 of 12 are left.
                val left = if (algorithm == Algorithm.TOKEN_BUCKET) 3L else 5L
                second.take(twelve, "key").remaining() shouldBe left - 1
                first.take(twelve, "key", permits = left).isAllowed shouldBe false
                first.take(twelve, "key", permits = left - 1).remaining() shouldBe 0
                second.take(twelve, "key").isAllowed shouldBe false
            }
        }

        test("what limiters of one name declare, each store hears of all, and of nobody whose time is over") {
            val clock = ManualClock()
            val (first, second) = stores(clock)
            val strict = RateLimit.slidingLog(5, Duration.ofHours(1))
            val loose = RateLimit.tokenBucket(999_999_937, Duration.ofSeconds(1)).withBurst(Long.MAX_VALUE)

            fun declared(
                store: SharedMemoryStore,
                member: String,
                vararg limits: RateLimit,
            ) = store.declareAsync("limiter", member, limits.asList(), Duration.ofMinutes(5)).toCompletableFuture().join()
            declared(first, "a", strict, once) shouldBe setOf(strict, once)
            declared(second, "b", loose) shouldBe setOf(strict, once, loose)
            clock.advance(4.minutes)
            declared(second, "b", once) shouldBe setOf(strict, once)
            clock.advance(4.minutes)
            declared(second, "c", loose) shouldBe setOf(once, loose)
            repeat(1_000) { declared(if (it % 2 == 0) first else second, "many $it", RateLimit.perHour(1.0 + it)) }
            declared(first, "a").size shouldBe 1_001
        }

        test("limits that no file can hold are refused when they are asked for") {
            val (first, _) = stores()
            val odd = RateLimit.tokenBucket(1, Duration.ofSeconds(Long.MAX_VALUE / 1_000, 1))
            for (ask in listOf<() -> Unit>({ first.check(odd) }, { first.take(odd, "key") }, { RateLimiters.create("l", first, odd) })) {
                shouldThrow<IllegalArgumentException>(ask).message.orEmpty() shouldContain "above 292 years write whole seconds"
            }
        }

        test("an interrupted thread is served as any other, stays interrupted, and closes the file for nobody") {
            val (first, second) = stores()
            val log = RateLimit.slidingLog(5_000, Duration.ofHours(1))
            val interrupted = CompletableFuture<Boolean>()
            thread {
                runCatching {
                    Thread.currentThread().interrupt()
                    repeat(20) { key -> repeat(50) { first.take(log, key).isAllowed shouldBe true } }
                    val third = SharedMemoryStore.open(folder.resolve("limits${number - 1}"), 100, ManualClock(1_795_262_399_987_654_321))
                    third.use { it.take(log, 0).remaining() shouldBe 4_949 }
                    Thread.interrupted()
                }.fold(interrupted::complete, interrupted::completeExceptionally)
            }
            interrupted.get(20, TimeUnit.SECONDS) shouldBe true
            first.take(log, 1).remaining() shouldBe 4_949
            second.take(log, 1).remaining() shouldBe 4_948
        }

        test("a store that is closed while threads ask it: each call is decided or fails as a store's, and none hangs") {
            repeat(30) {
                val (first, second) = stores()
                val limits = listOf(RateLimit.perSecond(5.0), RateLimit.slidingLog(5, Duration.ofHours(1)))
                val odd = AtomicInteger()
                val calls = CompletableFuture.runAsync {
                    inThreads(3) { thread ->
                        if (thread == 0) {
                            first.take(limits[1], "key")
                            first.close()
                        } else {
                            runCatching {
                                repeat(3_000) { key ->
                                    val charges = limits.mapIndexed { i, limit -> Charge(BucketKey("l", key % 50, i), limit, 1) }
                                    first.tryAcquire(charges, 1, Long.MAX_VALUE)
                                }
                            }.onFailure { if (it !is RateLimitStoreException) odd.incrementAndGet() }
                        }
                    }
                }
                calls.get(30, TimeUnit.SECONDS)
                odd.get() shouldBe 0
                second.take(limits[0], "key").isAllowed shouldBe true
            }
        }
    })

package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.store.ManualClock
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.atomic.AtomicLong
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Leases by hand, on buckets in memory whose answers may be kept. */
internal class LeasesTest :
    FunSpec({
        val key = BucketKey("limiter", "key", 0)

        class Rig(
            val limit: RateLimit = RateLimit.perHour(100.0),
            most: Long = 10,
            val isPrompt: Boolean = true,
        ) {
            val clock = ManualClock(3_600_000_000_000_000)
            val memory = MemoryStore(clock)
            val taking = AtomicLong()
            val given = mutableListOf<Long>()
            val answers = ArrayDeque<() -> Unit>()
            var sweep: (() -> Unit)? = null
            var cause: RateLimitStoreException? = null
            val leases: Leases =
                Leases(most, 1_000, ::take, { _, _ ->
                    RateLimitResult.denied(limit, 0, 1, 1)
                }, clock::nanoTime, { _, task -> sweep = task }) {
                    synchronized(given) { given += -it.permits }
                    memory.adjust(listOf(it))
                }

            private fun take(
                charge: Charge,
                most: Long,
            ): CompletableFuture<Taken> {
                taking.incrementAndGet()
                val permits = maxOf(charge.permits, minOf(most, left()))
                val asked = if (permits > charge.limit.burst()) charge.permits else permits
                val result = memory.tryAcquire(listOf(Charge(charge.key, charge.limit, asked)), clock.nanoTime(), Long.MAX_VALUE)
                val taken = Taken(result, charge.permits, asked, clock.nanoTime(), cause)
                val answer = CompletableFuture<Taken>()
                if (isPrompt) answer.complete(taken) else answers += { answer.complete(taken) }
                return answer
            }

            fun left() = memory.peek(listOf(Charge(key, limit, 1)), clock.nanoTime(), 0).remaining()

            fun ask(permits: Long = 1) = leases.acquire(Charge(key, limit, permits))

            fun uses(permits: Long = 1) = ask(permits).join().isAllowed
        }

        test("one question serves as many calls as the lease has permits, and no permit is granted twice") {
            with(Rig()) {
                (1..250).count { uses() } shouldBe 100
                // Ten leases, and then one refusal after another.
                taking.get() shouldBe 10 + 150
            }
        }

        /** The most permits that were taken and not used, after calls that are so many nanoseconds apart. */
        fun mostUnused(
            burst: Long,
            apart: Long,
        ) = with(Rig(RateLimit.tokenBucket(burst, Duration.ofDays(1)), most = 100)) {
            (1L..10_000L).maxOf {
                uses()
                clock.set(clock.nanoTime() + apart)
                burst - left() - it
            }
        }

        test("a lease that is used up within moments is followed by larger ones, up to eight times as large") {
            mostUnused(1_000_000, apart = 100) shouldBeInRange 700L..800L
        }

        test("no lease grows beyond a hundredth of the burst") {
            mostUnused(30_000, apart = 100) shouldBeInRange 250L..300L
        }

        test("where less is to be had than a lease, leases grow no more") {
            with(Rig(RateLimit.tokenBucket(100_000, Duration.ofDays(1)), most = 100)) {
                // Others take all but 350 permits.
                memory.adjust(listOf(Adjustment(key, limit, 99_650)))
                (1..400).count { uses() } shouldBe 350
                memory.adjust(listOf(Adjustment(key, limit, -10_000)))
                uses() shouldBe true
                10_000 - left() shouldBeInRange 150L..200L
            }
        }

        test("a lease that lasts a while stays as it is") {
            mostUnused(1_000_000, apart = 1_000_000) shouldBeInRange 80L..100L
        }

        test("what is idle goes back, and what is used does not") {
            with(Rig()) {
                repeat(3) { uses() }
                left() shouldBe 90
                checkNotNull(sweep)()
                left() shouldBe 90
                checkNotNull(sweep)()
                left() shouldBe 97
                uses() shouldBe true
                left() shouldBe 87
                leases.returnAll()
                left() shouldBe 96
            }
        }

        test("callers who find the lease used up at the same time ask once") {
            with(Rig(isPrompt = false)) {
                val calls = List(8) { ask() }
                taking.get() shouldBe 1
                answers.removeFirst()()
                calls.all { it.join().isAllowed } shouldBe true
                taking.get() shouldBe 1
                left() shouldBe 90
            }
        }

        test("when Redis cannot answer, those who wait for the same question are decided with it, and ask no more") {
            with(Rig(isPrompt = false)) {
                cause = RateLimitStoreException("away", null)
                val calls = List(8) { ask() }
                answers.removeFirst()()
                calls.count { it.isDone } shouldBe 8
                taking.get() shouldBe 1
            }
        }

        test("a reset forgets the lease, also one that is still to come: nothing of it is used or given back") {
            with(Rig(isPrompt = false)) {
                val first = ask()
                answers.removeFirst()()
                first.join()
                repeat(9) { uses() }
                val late = ask()
                leases.forget(key)
                memory.reset(listOf(key))
                answers.removeFirst()()
                late.join().isAllowed shouldBe true
                left() shouldBe 100
                given.size shouldBe 0
                ask().isDone shouldBe false
            }
        }

        test("a large lease is filled up before it is used up, by one question at a time, and never holds more than it may") {
            with(Rig(RateLimit.perHour(5_000.0), most = 1_000, isPrompt = false)) {
                val first = ask()
                answers.removeFirst()()
                first.join()
                (1..260).all { uses() } shouldBe true
                taking.get() shouldBe 2
                answers.removeFirst()()
                left() shouldBeInRange 5_000L - 261 - 1_000..5_000L - 261
                (1..740).all { uses() } shouldBe true
            }
        }

        test("a bucket that has no more is not asked ahead until it may have") {
            with(Rig(RateLimit.perHour(200.0), most = 200)) {
                (1..200).all { uses() } shouldBe true
                taking.get() shouldBe 2
            }
        }

        test("another limit returns the lease of the former") {
            with(Rig()) {
                uses()
                val slower = RateLimit.perHour(50.0).withBurst(100)
                leases.acquire(Charge(key, slower, 1)).join().isAllowed shouldBe true
                given shouldBe listOf(9L)
            }
        }

        test("a fixed window's lease ends with the window: what was left of it is not used in the next") {
            with(Rig(RateLimit.fixedWindow(20, Duration.ofMinutes(1)))) {
                repeat(3) { uses() }
                clock.advance(60.seconds)
                (1..50).count { uses() } shouldBe 20
                given.size shouldBe 0
            }
        }

        test("nor is it when the question for more crosses the edge") {
            with(Rig(RateLimit.fixedWindow(20, Duration.ofMinutes(1)), isPrompt = false)) {
                val first = ask()
                answers.removeFirst()()
                first.join()
                clock.advance(60.seconds - 1.milliseconds)
                clock.advance(1.milliseconds)
                val more = ask(15)
                answers.removeFirst()()
                more.join().isAllowed shouldBe true
                var granted = 15
                while (true) {
                    val call = ask()
                    if (!call.isDone) answers.removeFirst()()
                    if (!call.join().isAllowed) break
                    granted++
                }
                granted shouldBe 20
            }
        }

        test("a window that is about to end takes nothing back, for the next one would") {
            with(Rig(RateLimit.fixedWindow(20, Duration.ofMinutes(1)))) {
                uses()
                clock.advance(59.seconds + 500.milliseconds)
                leases.returnAll()
                given.size shouldBe 0
            }
        }

        test("threads together are granted what the bucket had, and the rest is there when the lease is returned") {
            repeat(20) { round ->
                with(Rig(RateLimit.perHour(5_000.0), most = 7)) {
                    val granted = AtomicLong()
                    val threads =
                        List(6) {
                            thread {
                                repeat(if (round % 2 == 0) 2_000 else 500) {
                                    val permits = 1L + it % 3
                                    if (uses(permits)) granted.addAndGet(permits)
                                    if (it % 100 == 0) sweep?.invoke()
                                }
                            }
                        }
                    threads.forEach { it.join() }
                    leases.returnAll()
                    left() shouldBe 5_000 - granted.get()
                }
            }
        }
    })

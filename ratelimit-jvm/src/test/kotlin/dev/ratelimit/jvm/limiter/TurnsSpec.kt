package dev.ratelimit.jvm.limiter

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.spi.Reservation
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CyclicBarrier
import java.util.concurrent.ThreadLocalRandom
import java.util.concurrent.atomic.AtomicLong
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.nanoseconds

/** Turns by hand: what is asked, what is handed out and when, what goes back. Instants are nanoseconds. */
internal class TurnsSpec :
    FunSpec({
        val limit = RateLimit.perSecond(10.0)
        val granted = RateLimitResult.allowed(limit, 0, 100, 0)
        val refused = RateLimitResult.denied(limit, 0, 70, 100)

        class Rig {
            val clock = ManualClock()
            val questions = mutableListOf<String>()
            val answers = ArrayDeque<CompletableFuture<Reservation>>()
            val returned = mutableListOf<Long>()
            val turns =
                Turns(
                    clock::nanoTime,
                    { size, count ->
                        questions += "$count of $size"
                        CompletableFuture<Reservation>().also { answers += it }
                    },
                    { returned += it.permits },
                )

            fun answer(vararg waits: Long) = answers.removeFirst().complete(Reservation.of(granted, *waits))

            /** How long the head has to wait: 0 for a grant, null to ask for more. */
            fun head(
                permits: Long = 1,
                waiting: Int = 1,
            ): Long? = turns.next(permits, waiting)?.let { if (it.isAllowed) 0 else it.retryAfterNanos() }
        }

        test("turns are handed out in order, each at its instant and not a nanosecond before") {
            with(Rig()) {
                head() shouldBe null
                turns.more(1, 3)
                answer(5, 15, 25)
                head() shouldBe 5
                clock += 4.nanoseconds
                head() shouldBe 1
                clock += 1.nanoseconds
                head() shouldBe 0
                head() shouldBe 10
                clock += 20.nanoseconds
                repeat(2) { head() shouldBe 0 }
                head() shouldBe null
                questions shouldContainExactly listOf("3 of 1")
                returned.shouldBeEmpty()
            }
        }

        test("the next turns are asked for half-way, once, and only for those who have none") {
            with(Rig()) {
                turns.more(1, 10)
                answer(0, 0, 0, 0)
                head(waiting = 10) shouldBe 0
                questions.size shouldBe 1
                head(waiting = 9) shouldBe 0
                head(waiting = 8) shouldBe 0
                questions shouldContainExactly listOf("10 of 1", "6 of 1")
                answer(1, 2)
                head(waiting = 3) shouldBe 0
                head(waiting = 2) shouldBe 1
                questions.size shouldBe 2
            }
        }

        test("who asks while a question is under way waits for its answer; a refusal is theirs if they asked for as much") {
            with(Rig()) {
                val first = turns.more(2, 1)
                val same = turns.more(2, 1)
                val other = turns.more(1, 1)
                answers.removeFirst().complete(Reservation.of(refused))
                first.join() shouldBe refused
                same.join() shouldBe refused
                other.join() shouldBe null
                questions.size shouldBe 1
                head(1) shouldBe null
                turns.more(1, 1)
                questions.last() shouldBe "1 of 1"
            }
        }

        test("turns of another size go back before new ones are asked for, whenever they come") {
            with(Rig()) {
                turns.more(3, 2)
                answer(0, 10)
                head(3) shouldBe 0
                clock += 10.nanoseconds
                head(3, waiting = 4) shouldBe 0
                turns.more(3, 1)
                head(1) shouldBe null
                returned.shouldBeEmpty()
                answer(20)
                head(1) shouldBe null
                returned shouldContainExactly listOf(3L)
                turns.reserved shouldBe 0
            }
        }

        test("closed, they return what is there and what is still to come") {
            with(Rig()) {
                turns.more(2, 4)
                answer(0, 0, 20, 30)
                repeat(2) { head(2, waiting = 6) shouldBe 0 }
                turns.close()
                returned shouldContainExactly listOf(4L)
                answer(40, 50, 60)
                returned shouldContainExactly listOf(4L, 6L)
                turns.close()
                returned.size shouldBe 2
            }
        }

        test("forgotten, they are neither used nor returned, not even what is still to come") {
            with(Rig()) {
                turns.more(1, 4)
                answer(0, 10)
                head(waiting = 4) shouldBe 0
                turns.forget()
                answer(20, 30)
                head() shouldBe null
                turns.close()
                returned.shouldBeEmpty()
            }
        }

        test("a question that failed is over, and the next one may be asked") {
            with(Rig()) {
                val first = turns.more(1, 1)
                answers.removeFirst().completeExceptionally(IllegalStateException("gone"))
                first.isCompletedExceptionally shouldBe true
                turns.underWay shouldBe null
                turns.more(1, 1)
                answer(0)
                head() shouldBe 0
            }
        }

        test("under any race of heads, answers, returns and the end, what was granted is what was used and what went back") {
            repeat(ROUNDS) {
                val charged = AtomicLong()
                val back = AtomicLong()
                val used = AtomicLong()
                val turns =
                    Turns(
                        { 0L },
                        { size, count ->
                            val reserved = minOf(count, 5)
                            charged.addAndGet(size * reserved)
                            val answer = Reservation.of(granted, *LongArray(reserved))
                            if (count % 2 == 0) CompletableFuture.completedFuture(answer) else CompletableFuture.supplyAsync { answer }
                        },
                        { back.addAndGet(it.permits) },
                    )
                val start = CyclicBarrier(THREADS)
                val threads =
                    List(THREADS) { number ->
                        thread {
                            start.await()
                            val random = ThreadLocalRandom.current()
                            repeat(CALLS) {
                                val size = if (number == 0) 2L else 1L
                                when {
                                    random.nextInt(20) == 0 -> turns.returnAll()
                                    turns.next(size, random.nextInt(1, 8))?.isAllowed == true -> used.addAndGet(size)
                                    else -> turns.more(size, random.nextInt(1, 8)).join()
                                }
                            }
                        }
                    }
                threads.forEach { it.join() }
                val last = turns.underWay
                turns.close()
                last?.join()
                used.get() shouldBeGreaterThan 0
                turns.reserved shouldBe 0
                charged.get() shouldBe used.get() + back.get()
            }
        }
    }) {
    private companion object {
        const val ROUNDS = 50
        const val THREADS = 4
        const val CALLS = 300
    }
}

package dev.ratelimit.jvm.conformance

import dev.ratelimit.Algorithm
import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.Reservation
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeBetween
import io.kotest.matchers.longs.shouldBeAtMost
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.future.await
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toJavaDuration

/** Turns granted ahead of time. A store may grant fewer than it is asked for, and only such as are there now. */
internal fun FunSpec.reservationTests(open: () -> StoreFixture) {
    eachAlgorithm("a turn that is there now is an acquire", open) { algorithm ->
        val limit = algorithm.limit(10, 1.hours)
        val reservation = reserve(1, Duration.ZERO, limit.charge(4))
        reservation.turns() shouldBe 1
        reservation.waitNanos(0) shouldBe 0
        reservation.result().shouldLeave(6)
        left(limit) shouldBe 6
    }

    eachAlgorithm("no more turns are granted than are asked for or fit, and each is charged", open) { algorithm ->
        val limit = algorithm.limit(10, 1.hours)
        // A leaky bucket's turns come later.
        val within = if (algorithm == Algorithm.LEAKY_BUCKET) 1.hours else Duration.ZERO
        val three = reserve(3, within, limit.charge(2)).turns()
        three.shouldBeBetween(1, 3)
        left(limit) shouldBe 10 - 2 * three
        val rest = reserve(100, within, limit.charge())
        rest.turns().shouldBeBetween(1, 10 - 2 * three)
        left(limit) shouldBe 10 - 2 * three - rest.turns()
    }

    eachAlgorithm("without a turn in time a reservation is a refusal with its wait, and changes nothing", open) { algorithm ->
        val limit = algorithm.limit(10, 1.hours)
        alignTo(1.hours)
        take(limit.charge(10)).shouldLeave(0)
        val refusal = take(listOf(limit.charge()), 1.seconds.inWholeNanoseconds)
        refusal shouldBeAllowed false
        repeat(3) {
            val reservation = reserve(5, 1.seconds, limit.charge())
            reservation.turns() shouldBe 0
            reservation.result() shouldBe refusal
        }
        take(listOf(limit.charge()), 1.seconds.inWholeNanoseconds) shouldBe refusal
    }

    eachAlgorithm("turns that nobody used come back", open) { algorithm ->
        val limit = algorithm.limit(4, 1.seconds)
        alignTo(1.seconds)
        take(limit.charge()).shouldLeave(3)
        val turns = reserve(20, 1.seconds, limit.charge()).turns()
        store.returnAsync(listOf(limit.adjustment(-turns.toLong()))).await()
        take(limit.charge(3)).shouldLeave(0)
    }

    storeTest("a turn of several limits charges all of them", open) {
        val limits = Algorithm.entries.map { it.limit(10, 1.hours) }
        val charges = limits.mapIndexed { i, limit -> limit.charge(2, BucketKey("limiter", "key", i)) }
        val turns = reserve(100, Duration.ZERO, *charges.toTypedArray()).turns()
        turns.shouldBeBetween(1, 5)
        for (charge in charges) withClue("${charge.limit}") { left(charge.limit, charge.key) shouldBe 10 - 2 * turns }
    }

    storeTest("the turns of a leaky bucket come one after another, as those of its calls do", open) {
        val limit = RateLimit.leakyBucket(10, 1.seconds.toJavaDuration(), 5)
        var turn = 0
        take(limit.charge()).delayNanos() shouldBe 0
        while (turn < 4) {
            val reservation = reserve(4 - turn, 10.seconds, limit.charge())
            reservation.turns().shouldBeBetween(1, 4 - turn)
            repeat(reservation.turns()) { reservation.waitNanos(it) shouldBe (100.milliseconds * ++turn).inWholeNanoseconds }
        }
        take(limit.charge()) shouldBeAllowed false
    }

    eachAlgorithm("turns, at their instants, and calls before and after them are what the limit admits", open) { algorithm ->
        repeat(TRACES) { seed ->
            val trace =
                Trace(this, algorithm.limit(LONG_BURSTS[seed % 2], 1.seconds), BucketKey("limiter", "$algorithm $seed", 0), Random(seed))
            withClue("seed $seed") {
                trace.play()
                trace.grants.shouldBeAdmittedBy(trace.limit)
            }
        }
    }
}

private const val TRACES = 40
private const val STEPS = 40
private val LONG_BURSTS = listOf(1L, 6L)

private class Grant(
    val at: Duration,
    val permits: Long,
)

/** Calls, reservations and turns given back, at random. */
private class Trace(
    private val kit: Kit,
    val limit: RateLimit,
    private val key: BucketKey,
    private val random: Random,
) {
    val grants = mutableListOf<Grant>()

    /** The turns that were granted last, of which those to come are nobody's yet. */
    private val held = mutableListOf<Grant>()
    private var now = Duration.ZERO

    suspend fun play() {
        kit.alignTo(1.seconds)
        repeat(STEPS) {
            when (random.nextInt(4)) {
                0 -> call(permits())
                1 -> reserve(permits())
                2 -> giveBack()
                else -> pass(random.nextLong(400).milliseconds)
            }
        }
    }

    private fun permits() = random.nextLong(1, minOf(3, limit.burst()) + 1)

    private suspend fun call(permits: Long) {
        if (!kit.take(limit.charge(permits, key)).isAllowed) return
        grants += Grant(now, permits)
        held.clear()
    }

    private suspend fun reserve(permits: Long) {
        val within = random.nextLong(2_000).milliseconds
        val most = random.nextInt(1, 9)
        val reservation = kit.reserve(most, within, limit.charge(permits, key))
        reservation.turns() shouldBeAtMost most
        if (reservation.turns() == 0) return
        val waits = List(reservation.turns()) { reservation.waitNanos(it) }
        waits shouldBe waits.sorted()
        waits.first() shouldBeAtMost within.inWholeNanoseconds
        held.clear()
        // What a leaky bucket accepts is accepted now, whenever its turn comes.
        held += waits.map { Grant(if (limit.algorithm() == Algorithm.LEAKY_BUCKET) now else now + it.nanoseconds, permits) }
        grants += held
    }

    private suspend fun giveBack() {
        val unused = held.filter { it.at >= now }.drop(random.nextInt(3))
        if (unused.isEmpty()) return
        kit.store.returnAsync(listOf(limit.adjustment(-unused.sumOf { it.permits }, key))).await()
        grants -= unused.toSet()
        held -= unused.toSet()
    }

    private fun pass(time: Duration) {
        kit.advance(time)
        now += time
    }
}

/** One after another, as they happened, under the same limit in memory. */
private fun List<Grant>.shouldBeAdmittedBy(limit: RateLimit) {
    var now = 0L
    val model = MemoryStore(NanoClock { now })
    val window = RateLimit.fixedWindow(1, limit.period())
    val start = model.tryAcquire(listOf(Charge(BucketKey("align", null, 0), window, 1)), 0, 0).resetAfterNanos()
    for (grant in sortedBy { it.at }) {
        now = start + grant.at.inWholeNanoseconds
        withClue("${grant.permits} at ${grant.at} of ${sortedBy { it.at }.map { "${it.permits} at ${it.at}" }}") {
            model.tryAcquire(listOf(limit.charge(grant.permits)), now, Long.MAX_VALUE) shouldBeAllowed true
        }
    }
}

internal infix fun Int.shouldBeAtMost(most: Int) = toLong() shouldBeAtMost most.toLong()

internal suspend fun Kit.reserve(
    most: Int,
    within: Duration,
    vararg charges: Charge,
): Reservation = store.reserveAsync(charges.asList(), most, within.inWholeNanoseconds).await()

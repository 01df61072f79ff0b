package dev.ratelimit.jvm.shared

import dev.ratelimit.jvm.SharedMemoryStore
import dev.ratelimit.jvm.redis.rig.awaitThat
import dev.ratelimit.jvm.shared.rig.Child
import dev.ratelimit.jvm.shared.rig.Kind
import dev.ratelimit.jvm.shared.rig.Ledgers
import dev.ratelimit.jvm.shared.rig.Remains
import dev.ratelimit.jvm.shared.rig.SharedFolder
import dev.ratelimit.jvm.shared.rig.Stall
import dev.ratelimit.jvm.shared.rig.StealWatch
import dev.ratelimit.jvm.shared.rig.Tally
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.longs.shouldBeLessThan
import io.kotest.matchers.shouldBe
import java.util.SplittableRandom
import java.util.concurrent.Executors
import java.util.concurrent.Future
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.locks.LockSupport
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * kill -9 at random instants: 200 times in each run; ten thousand times are
 * `mvn -B -ntp -pl ratelimit-jvm -am test -Dtest=KillTest -Dsurefire.failIfNoSpecifiedTests=false -Dratelimit.shared.kills=10000`.
 *
 * Processes that work on all kinds of bucket, those of one word, those of several, lists, and new keys, are killed and
 * replaced, while two survivors go on. Most die in the midst of their work, some while they open the file. In the end what all have
 * reported is compared, bucket by bucket, with what the buckets have given out.
 *
 * A survivor's stall is each of its long calls without the time in which others had the processor (see StallWatch), or the machine
 * beneath had it (see StealWatch). A call that waits for a word in the file spins and yields; the victims are of low priority, so what
 * it yields comes back at once.
 */
internal class KillTest :
    FunSpec({
        test(
            "$KILLS processes that are killed cost one call each at most, let nothing through and hold up nobody",
        ).config(timeout = 2.hours) {
            val steal = StealWatch()
            SharedFolder().use { folder ->
                val file = folder.file("limits")
                SharedMemoryStore.open(file, MAX_KEYS).use { store ->
                    val from = System.nanoTime()
                    val ledgers = Ledgers(store, from)
                    val survivors = List(SURVIVORS) { Child.start(folder) }
                    try {
                        survivors.forEachIndexed { i, survivor ->
                            survivor.ask("open", file, MAX_KEYS)
                            survivor.work("mix", from, 0, i.toLong(), SURVIVOR_RESTS_MICROS)
                        }
                        survivors.forEach { awaitThat("a survivor's first calls") { it.hasAnswered(3_000) } }
                        val inMidst = kill(folder, from, ledgers)
                        survivors.forEach { it.stop() }
                        val seconds = (System.nanoTime() - from) / 1e9
                        survivors.forEach { ledgers.add(it.tally) }
                        val lost = ledgers.check(unreported = KILLS)
                        println("$KILLS kills, $inMidst in the midst of work, in %.1f s: $lost lost; $ledgers".format(seconds))
                        survivors.forEach { survivor ->
                            println(told(survivor.tally))
                            survivor.tally.stalls().forEach { println(told(it, steal)) }
                        }
                        println("keys ${store.size}, bytes ${file.toFile().length()}")
                        withClue("of the bucket that refills") {
                            ledgers.paced() shouldBeInRange 100L..(seconds * 1_000).toLong() + 100
                        }
                        survivors.forEach { it.close() }
                        Remains(store).awaitNobody()
                        for (it in survivors) {
                            for (stall in it.tally.stalls()) {
                                withClue(told(stall, steal)) { stall.own - steal.of(stall) shouldBeLessThan STALL.inWholeNanoseconds }
                            }
                        }
                    } finally {
                        survivors.forEach { it.close() }
                        steal.close()
                    }
                }
                folder.names().filter { "limits" in it } shouldBe listOf("limits")
            }
        }
    }) {
    companion object {
        private val KILLS: Int = Integer.getInteger("ratelimit.shared.kills", 200)
        private const val SURVIVORS = 2
        private const val VICTIMS_AT_ONCE = 6
        private const val OF_WHICH_EARLY = 8
        private const val LIFE_NANOS = 40_000_000L
        private const val START_NANOS = 400_000_000L
        private const val SURVIVOR_RESTS_MICROS = 3_000L

        /** The promise, measured by a campaign on a machine of its own; in each run, that nobody is held up for good. */
        private val STALL = if (Integer.getInteger("ratelimit.shared.kills") == null) 2.seconds else 100.milliseconds

        /** Far more than there will be keys, so that none has to go. */
        private val MAX_KEYS = 100_000 + KILLS * 300

        /** What the machine has lost while a call lasted. */
        private fun StealWatch.of(stall: Stall): Long = taken(stall.own, stall.at)

        private fun told(
            stall: Stall,
            steal: StealWatch,
        ) = "a call on ${stall.kind} took %.1f ms of its own, of which %.0f ms were taken from the machine"
            .format(stall.own / 1e6, steal.of(stall) / 1e6)

        /** What a survivor has felt. */
        fun told(tally: Tally): String =
            "${tally[Tally.ANSWERS]} calls of a survivor; the longest %.1f ms, own time at most %.1f ms, on %s; between at most %.1f ms"
                .format(
                    tally[Tally.LONGEST] / 1e6,
                    tally[Tally.LONGEST_OWN] / 1e6,
                    Kind.values()[tally[Tally.LONGEST_KIND].toInt()],
                    tally[Tally.LONGEST_PAUSE] / 1e6,
                )

        /** Starts and kills; gives how many were killed in the midst of their work. */
        private fun kill(
            folder: SharedFolder,
            from: Long,
            ledgers: Ledgers,
        ): Int {
            val left = AtomicInteger(KILLS)
            val inMidst = AtomicInteger()
            val pool = Executors.newFixedThreadPool(VICTIMS_AT_ONCE)
            try {
                val loops: List<Future<*>> =
                    List(VICTIMS_AT_ONCE) { number ->
                        pool.submit {
                            val random = SplittableRandom(SEED + number)
                            while (true) {
                                val kill = left.getAndDecrement()
                                if (kill <= 0) break
                                Child.start(folder, isHumble = true).use { victim ->
                                    victim.tell("open", folder.file("limits"), MAX_KEYS)
                                    val isEarly = kill % OF_WHICH_EARLY == 0
                                    if (!isEarly) {
                                        victim.work("mix", from, 0, random.nextLong(), 0)
                                        awaitThat("a victim's first call", 60.seconds) { victim.hasAnswered(1) }
                                    }
                                    LockSupport.parkNanos(random.nextLong(if (isEarly) START_NANOS else LIFE_NANOS))
                                    victim.kill()
                                    if (victim.tally[Tally.ANSWERS] > 0) inMidst.incrementAndGet()
                                    ledgers.add(victim.tally)
                                    withClue(victim.complaints) { victim.tally[Tally.FAILURES] shouldBe 0 }
                                }
                            }
                        }
                    }
                loops.forEach { it.get() }
            } finally {
                pool.shutdownNow()
            }
            return inMidst.get()
        }

        private val SEED: Long = java.lang.Long.getLong("ratelimit.shared.seed", 1)
    }
}

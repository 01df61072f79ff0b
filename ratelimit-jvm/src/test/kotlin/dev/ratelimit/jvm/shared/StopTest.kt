package dev.ratelimit.jvm.shared

import dev.ratelimit.jvm.SharedMemoryStore
import dev.ratelimit.jvm.redis.rig.awaitThat
import dev.ratelimit.jvm.shared.rig.Child
import dev.ratelimit.jvm.shared.rig.Ledgers
import dev.ratelimit.jvm.shared.rig.Remains
import dev.ratelimit.jvm.shared.rig.SharedFolder
import dev.ratelimit.jvm.shared.rig.Tally
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.longs.shouldBeLessThan
import io.kotest.matchers.shouldBe
import java.util.SplittableRandom
import java.util.concurrent.locks.LockSupport
import kotlin.time.Duration.Companion.seconds

/** SIGSTOP: a process that stands still, perhaps in the midst of a change, and goes on later as if nothing had been. */
internal class StopTest :
    FunSpec({
        test("while one of four processes stands still for ten seconds, the others get the whole rate; afterwards all adds up") {
            SharedFolder().use { folder ->
                val children = List(4) { Child.start(folder) }
                try {
                    children.forEach { it.ask("open", folder.file("limits"), 100) }
                    val from = System.nanoTime() + 100_000_000
                    val until = from + 12.seconds.inWholeNanoseconds
                    children.forEach { it.work("saturate", from, until, 1_000, 100) }
                    val (stopped, others) = children.first() to children.drop(1)
                    awaitThat("all at work") { children.all { it.hasAnswered(1_000) } }
                    stopped.signal("STOP")
                    val before = others.sumOf { it.tally[0] } to System.nanoTime()
                    awaitThat("ten seconds") { System.nanoTime() - before.second >= 10.seconds.inWholeNanoseconds }
                    val meanwhile = others.sumOf { it.tally[0] } - before.first
                    val time = System.nanoTime() - before.second
                    stopped.signal("CONT")
                    withClue("grants to the others in $time ns") { meanwhile shouldBeGreaterThanOrEqual time * 990 / 1_000_000_000 }
                    awaitThat("the end") { System.nanoTime() - until > 0 }
                    children.forEach { it.stop() }
                    val total = children.sumOf { it.tally[0] }
                    println("one of four stopped: others $meanwhile in $time ns; in all $total of 12,100")
                    total shouldBeInRange 11_880L..12_100
                } finally {
                    children.forEach { it.close() }
                }
            }
        }

        test("processes that are stopped $STOPS times, in the midst of anything, lose nothing, let nothing through and hold up nobody") {
            SharedFolder().use { folder ->
                val file = folder.file("limits")
                SharedMemoryStore.open(file, MAX_KEYS).use { store ->
                    val from = System.nanoTime()
                    val children = List(4) { Child.start(folder, isHumble = it > 0) }
                    try {
                        children.forEachIndexed { i, child ->
                            child.ask("open", file, MAX_KEYS)
                            child.work("mix", from, 0, i.toLong(), if (i == 0) 1_000 else 0)
                        }
                        awaitThat("all at work") { children.all { it.hasAnswered(1_000) } }
                        val random = SplittableRandom(1)
                        repeat(STOPS) {
                            val stopped = children[random.nextInt(1, children.size)]
                            stopped.signal("STOP")
                            LockSupport.parkNanos(if (it % OF_WHICH_LONG == 0) LONG_STOP else random.nextLong(SHORT_STOP))
                            stopped.signal("CONT")
                            LockSupport.parkNanos(random.nextLong(SHORT_STOP / 5))
                        }
                        children.forEach { it.stop() }
                        val seconds = (System.nanoTime() - from) / 1e9
                        val ledgers = Ledgers(store, from)
                        children.forEach { ledgers.add(it.tally) }
                        ledgers.check(unreported = 0)
                        val survivor = children.first().tally
                        Remains(store).run { withClue(this) { marks.size shouldBe 0 } }
                        println("$STOPS stops in %.1f s: $ledgers; ${KillTest.told(survivor)}".format(seconds))
                        ledgers.paced() shouldBeInRange 100L..(seconds * 1_000).toLong() + 100
                        withClue(KillTest.told(survivor)) {
                            survivor[Tally.LONGEST_OWN] shouldBeLessThan LONGEST_STALL + survivor[Tally.LONGEST_PAUSE]
                        }
                    } finally {
                        children.forEach { it.close() }
                    }
                }
                folder.names().filter { "limits" in it } shouldBe listOf("limits")
            }
        }
    }) {
    private companion object {
        /** In each run; more by `-Dratelimit.shared.stops=3000`. */
        val STOPS: Int = Integer.getInteger("ratelimit.shared.stops", 150)
        val MAX_KEYS = 100_000 + STOPS * 300
        const val SHORT_STOP = 20_000_000L

        /** Every third stop is longer than a survivor may stall: if it is in the midst of a change, and holds up others, that shows. */
        const val OF_WHICH_LONG = 3

        /**
         * Half a long stop, for a campaign on a machine of its own: of a survivor's own time, for the rest may go to those to whom it
         * yields. In each run, that nobody is held up for good.
         */
        val LONGEST_STALL = if (Integer.getInteger("ratelimit.shared.stops") == null) 2_000_000_000L else 75_000_000L
        const val LONG_STOP = 150_000_000L
    }
}

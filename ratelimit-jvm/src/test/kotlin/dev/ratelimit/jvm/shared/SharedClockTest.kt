package dev.ratelimit.jvm.shared

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import java.nio.ByteBuffer
import kotlin.random.Random

/** One time for all processes of a machine, through restarts, sleep, steps of the wall clock and damage. */
internal class SharedClockTest :
    FunSpec({
        test("two clocks on one file agree, and steps of the wall clock by a day in either direction change nothing") {
            val machine = Machinery()
            val first = machine.clock()
            for (step in listOf(DAY, -DAY, -DAY, 3 * DAY)) {
                val before = first.nanoTime()
                machine.wall += step
                machine.pass(SECOND)
                first.tick()
                val second = machine.clock()
                second.nanoTime() shouldBe first.nanoTime()
                first.nanoTime() shouldBe before + SECOND
            }
        }

        test("a restart of the machine: time goes on, and by the wall clock where that is ahead") {
            for (step in listOf(0, DAY, -DAY)) {
                val machine = Machinery()
                val before = machine.clock().also { it.tick() }.nanoTime()
                machine.restart(60 * SECOND)
                machine.wall += step
                val after = machine.clock()
                val passed = after.nanoTime() - before
                withClue("wall clock stepped by $step") {
                    passed shouldBeInRange if (step < 0) -SLACK..SLACK else 60 * SECOND + step - SLACK..60 * SECOND + step + SLACK
                }
                machine.clock().nanoTime() shouldBe after.nanoTime()
            }
        }

        test("a restart where nobody tells one start of the machine from another") {
            val machine = Machinery(boot = 0, uptime = 1_000 * DAY)
            val before = machine.clock().also { it.tick() }.nanoTime()
            machine.restart(60 * SECOND)
            machine.boot = 0
            machine.clock().nanoTime() - before shouldBeInRange 60 * SECOND - SLACK..60 * SECOND + SLACK
        }

        test("a sleep is made up for once, however many notice it") {
            val machine = Machinery()
            val clocks = List(3) { machine.clock() }
            val before = clocks[0].nanoTime()
            machine.sleep(3_600 * SECOND)
            machine.pass(SECOND)
            clocks.forEach { it.tick() }
            clocks.forEach { it.tick() }
            for (clock in clocks) clock.nanoTime() - before shouldBeInRange 3_601 * SECOND - SLACK..3_601 * SECOND + SLACK
            clocks.map { it.nanoTime() }.distinct().size shouldBe 1
        }

        test("whoever is stopped between two looks at the machine's clocks does not take that for a sleep") {
            val machine = Machinery()
            val clock = machine.clock()
            val before = clock.nanoTime()
            machine.stop = 30 * SECOND
            clock.tick()
            machine.pass(SECOND)
            clock.tick()
            clock.nanoTime() - before shouldBe machine.system - machine.start
        }

        test("time never goes back by more than a moment, whatever is written over its words, and by no more than that ahead") {
            val random = Random(7)
            for (word in listOf(Layout.SHIFT, Layout.SEEN, Layout.SEEN_AGAIN, Layout.BOOT)) {
                repeat(2_000) { turn ->
                    val machine = Machinery()
                    val clock = machine.clock().also { it.tick() }
                    val before = clock.nanoTime()
                    val value = machine.words.get(word)
                    val garbage = if (turn < 64) value xor (1L shl turn) else random.nextLong() shr random.nextInt(64)
                    machine.words.set(word, garbage)
                    machine.pass(SECOND)
                    val late = machine.clock()
                    clock.tick()
                    late.tick()
                    clock.tick()
                    val now = clock.nanoTime()
                    val there = late.nanoTime()
                    machine.restart(SECOND)
                    val after = machine.clock()
                    withClue("word $word, which was $value, became $garbage") {
                        now - before shouldBeInRange SECOND - SLACK..SECOND + SLACK
                        there shouldBe now
                        after.nanoTime() - before shouldBeInRange 2 * SECOND - SLACK..2 * SECOND + SLACK
                    }
                }
            }
        }

        test("a shift that was damaged is told from one that was not") {
            val random = Random(3)
            repeat(10_000) {
                val word = Sealed.of(random.nextLong() shr random.nextInt(64))
                Sealed.opened(word) shouldBe Sealed.shiftOf(word)
                for (bit in 0 until 64) Sealed.opened(word xor (1L shl bit)) shouldBe null
            }
        }
    })

private const val SECOND = 1_000_000_000L
private const val DAY = 86_400 * SECOND
private const val SLACK = 5_000_000L

/** A machine with its clocks in hand. */
private class Machinery(
    var boot: Long = 11,
    uptime: Long = 100 * SECOND,
) {
    val words = Words(ByteBuffer.allocateDirect(Layout.STRIPES))
    val start = uptime
    var system = uptime
    var wall = 1_795_262_399_987_654_321L

    /** How long the next one is stopped who asks how long the machine has been on. */
    var stop = 0L
    private var slept = 0L

    fun clock() = SharedClock(words, { system }, { wall }, boot, ::up)

    private fun up(): Long {
        val up = system + slept
        system += stop
        wall += stop
        stop = 0
        return up
    }

    fun pass(time: Long) {
        system += time
        wall += time
    }

    fun sleep(time: Long) {
        slept += time
        wall += time
    }

    fun restart(off: Long) {
        boot++
        system = 0
        slept = 0
        wall += off
    }
}

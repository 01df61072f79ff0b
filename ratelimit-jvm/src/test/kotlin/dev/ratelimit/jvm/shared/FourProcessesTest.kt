package dev.ratelimit.jvm.shared

import dev.ratelimit.jvm.redis.rig.awaitThat
import dev.ratelimit.jvm.shared.rig.Child
import dev.ratelimit.jvm.shared.rig.SharedFolder
import dev.ratelimit.jvm.shared.rig.Tally
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.longs.shouldBeInRange
import kotlin.time.Duration.Companion.seconds

/**
 * Processes that want more of one bucket than there is, from one instant until another that are the same for all.
 * Each saturates for 30 seconds; other times are `-Dratelimit.shared.seconds=300`.
 */
internal class FourProcessesTest :
    FunSpec({
        /** What each has got, and the sum is right: at most the burst and the rate, at least [leastPercent] of the rate. */
        fun grants(
            work: String,
            processes: Int,
            rate: Long,
            burst: Long,
            seconds: Int,
            leastPercent: Int,
            vararg more: Long,
        ): List<Tally> =
            SharedFolder().use { folder ->
                val children = List(processes) { Child.start(folder) }
                try {
                    children.forEach { it.tell("open", folder.file("limits"), 100) }
                    children.forEach { it.ask("stop") }
                    val from = System.nanoTime() + HEAD_START
                    val until = from + seconds.seconds.inWholeNanoseconds
                    children.forEach { it.work(work, from, until, rate, burst, *more) }
                    awaitThat("the end", (seconds + 30).seconds) { System.nanoTime() - until > 0 }
                    children.forEach { it.stop() }
                    val total = children.sumOf { it.tally[0] }
                    println("$work of $processes: $total of ${burst + rate * seconds}, ${children.map { it.tally[0] }}")
                    total shouldBeInRange rate * seconds * leastPercent / 100..burst + rate * seconds
                    children.map { it.tally }
                } finally {
                    children.forEach { it.close() }
                }
            }

        test("four processes that saturate one bucket get its burst and its rate, and not one more") {
            grants("saturate", processes = 4, rate = 1_000, burst = 100, seconds = SECONDS, leastPercent = 100)
        }

        for (processes in listOf(4, 2)) {
            test("of $processes processes with a line each none starves") {
                val rate = 1_000L
                val tallies = grants("line", processes, rate, burst = 100, seconds = LINE_SECONDS, leastPercent = 95, 20)
                tallies.forEach { it[0] shouldBeGreaterThanOrEqual rate * LINE_SECONDS / 10 }
            }
        }

        test("two processes with a line each share a bucket whose permits come one by one, a few in a second") {
            val tallies = grants("line", processes = 2, rate = 50, burst = 1, seconds = LINE_SECONDS, leastPercent = 95, 5)
            tallies.forEach { it[0] shouldBeGreaterThanOrEqual 50L * LINE_SECONDS / 10 }
        }
    }) {
    private companion object {
        val SECONDS: Int = Integer.getInteger("ratelimit.shared.seconds", 30)
        val LINE_SECONDS = maxOf(5, SECONDS / 6)
        const val HEAD_START = 300_000_000L
    }
}

package dev.ratelimit.samples.demo

import com.github.ajalt.mordant.rendering.AnsiLevel
import com.github.ajalt.mordant.terminal.Terminal
import com.github.ajalt.mordant.terminal.TerminalRecorder
import dev.ratelimit.jvm.perSecond
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import dev.ratelimit.RateLimit as Limit

/** Three real processes, and a server in this one. */
class SharedDemoTest :
    FunSpec({
        suspend fun demo(rate: Limit, fileCount: Int): Pair<Boolean, String> {
            val recorder = TerminalRecorder(AnsiLevel.NONE, width = 200)
            val isFine = SharedDemo(Terminal(terminalInterface = recorder), rate, processes = 3, parallel = 8, fileCount).run()
            return isFine to recorder.output()
        }

        test("three processes keep the server content together, and each gets its files") {
            val (isFine, output) = demo(4.perSecond.withBurst(1), fileCount = 18)
            output shouldContain Regex("who got what +process 1 +process 2 +process 3 +together\n")
            output shouldContain Regex("\ndownloads +6 +6 +6 +18\n")
            output shouldContain Regex("files complete, by SHA-256 +6 of 6 +6 of 6 +6 of 6 +18 of 18\n")
            output shouldContain Regex("requests that got 429 +\\d+ +0\n")
            output shouldContain "The shared limit held"
            isFine shouldBe true
        }

        test("a shared rate above the server's is found out") {
            val (isFine, output) = demo(1000.perSecond, fileCount = 40)
            output shouldContain Regex("The shared limit was exceeded: \\d+ requests got 429, \\d+ files are missing")
            isFine shouldBe false
        }

        test("work is dealt out like cards") {
            Processes(3, 1.perSecond, 1).shares(DemoFiles(8)) shouldContainExactly listOf(listOf(0, 3, 6), listOf(1, 4, 7), listOf(2, 5))
        }

        test("the time line tells who asked, and the busiest second starts with any request") {
            val arrivals =
                listOf(0L to "1", 600L to "2", 1_000L to "1", 1_599L to "2", 1_600L to "2").map { (millis, from) ->
                    Arrival(millis * 1_000_000, isAnswered = true, from)
                }
            timeline(arrivals.take(2)).replace(Regex("\u001b\\[\\d+m"), "").lines() shouldContainExactly
                listOf("   0.00 s  1", "   0.25 s  ", "   0.50 s  2")
            val outcome = SharedOutcome(arrivals, listOf(2, 3))
            outcome.busiest shouldBe 3
            listOf(0, 1).map { outcome.answeredOf(it) } shouldContainExactly listOf(2, 3)
        }
    })

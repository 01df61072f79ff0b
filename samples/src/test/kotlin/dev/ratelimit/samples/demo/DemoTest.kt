package dev.ratelimit.samples.demo

import com.github.ajalt.mordant.rendering.AnsiLevel
import com.github.ajalt.mordant.terminal.Terminal
import com.github.ajalt.mordant.terminal.TerminalRecorder
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.samples.run
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import dev.ratelimit.RateLimit as Limit

class DemoTest :
    FunSpec({
        suspend fun demo(rate: Limit): Pair<Boolean, String> {
            val recorder = TerminalRecorder(AnsiLevel.NONE, width = 200)
            val isFine = Demo(Terminal(terminalInterface = recorder), rate, parallel = 16, fileCount = 16).run()
            return isFine to recorder.output()
        }

        test("the limiter keeps the server content, and every file arrives") {
            val (isFine, output) = demo(Demo.DEFAULT_RATE)
            output shouldContain Regex("requests that got 429 +\\d+ +0\n")
            output shouldContain Regex("files complete, by SHA-256 +\\d+ of 16 +16 of 16\n")
            output shouldContain "The limit held"
            isFine shouldBe true
        }

        test("a rate above the server's is found out") {
            val (isFine, output) = demo(1000.perSecond)
            output shouldContain Regex("The limit was exceeded: \\d+ requests got 429, \\d+ files are missing")
            isFine shouldBe false
        }

        test("the command line shows the demo when there is no URL, and fails when the limit was exceeded") {
            val run = run("--rate", "1000/s", "--parallel", "40")
            run.exitCode shouldBe 1
            run.out shouldContain "Without the limiter, 40 at a time"
            run.out shouldContain "The limit was exceeded"
        }

        test("the judge answers as many requests in any window as it says, and tells when to come again") {
            var now = 0L
            val judge = RequestJudge(2, 1.seconds) { now }
            val verdicts =
                listOf(0L, 100, 200, 999, 1000, 1099, 1100, 1101).map {
                    now = it * 1_000_000
                    judge.judge()
                }
            verdicts shouldContainExactly
                listOf<Duration?>(null, null, 800.milliseconds, 1.milliseconds, null, 1.milliseconds, null, 899.milliseconds)
            judge.arrivals.count { it.isAnswered } shouldBe 4
        }

        test("the time line has a line for each quarter of a second, also for an idle one") {
            val arrivals = listOf(Arrival(0, true), Arrival(249_999_999, false), Arrival(250_000_000, true), Arrival(900_000_000, true))
            timeline(arrivals).replace(Regex("\u001b\\[\\d+m"), "").lines() shouldContainExactly
                listOf("   0.00 s  #x", "   0.25 s  #", "   0.50 s  ", "   0.75 s  #")
        }

        test("the files differ, and are the same each time") {
            val files = DemoFiles(3)
            files.totalBytes shouldBe DemoFiles(3).totalBytes
            files.find("file-01.bin")?.size.let { it ?: 0 } shouldBeGreaterThan 64 * 1024 - 1
            files.find("file-01.bin").contentEquals(files.find("file-02.bin")) shouldBe false
            files.find("file-04.bin") shouldBe null
        }
    })

package dev.ratelimit.samples.server

import com.github.ajalt.mordant.rendering.AnsiLevel
import com.github.ajalt.mordant.terminal.Terminal
import com.github.ajalt.mordant.terminal.TerminalRecorder
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlin.time.Duration.Companion.seconds

/** Real servers, a real Redis, and callers who misbehave. */
class ServerDemoTest :
    FunSpec({
        for ((name, usesRedis) in listOf("two instances behind one Redis" to true, "one instance in memory" to false)) {
            test("$name keep their limits") {
                val recorder = TerminalRecorder(AnsiLevel.NONE, width = 200)
                val isFine = ServerDemo(Terminal(terminalInterface = recorder), usesRedis, emptyList(), 6.seconds).run()
                val output = recorder.output()
                output shouldContain "${if (usesRedis) 2 else 1} instance(s) of an API"
                output shouldContain Regex("scraper without a pause +\\d+ +[1-9]\\d* +0\n")
                output shouldContain "The limits held over all instances"
                isFine shouldBe true
            }
        }
    })

package dev.ratelimit.samples

import com.github.ajalt.mordant.terminal.Terminal
import com.github.ajalt.mordant.terminal.TerminalRecorder
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import java.nio.file.Path
import java.time.Duration

class ProgressTest :
    FunSpec({
        test("a line for each file that comes in, and one for all") {
            val waits = WaitClock().apply { onGrant("http", null, 1, Duration.ofMillis(3_250)) }
            val files = List(5) { Download(it + 1, "http://a.org/$it", Path.of("file-$it")) }
            val now = 10_000_000_000 + System.nanoTime()
            files[0].state = DownloadState.DONE
            files[1].state = DownloadState.RETRYING
            files[2].run {
                state = DownloadState.RECEIVING
                expected = 1024 * 1024
                received = 768 * 1024
                resumedFrom = 512 * 1024
                since = now - 2_000_000_000
            }
            files[3].run {
                state = DownloadState.RECEIVING
                received = 100
                since = now
            }
            val progress = Progress(Terminal(terminalInterface = TerminalRecorder()), files, waits)
            val lines = progress.lines(now)
            lines.dropLast(1) shouldContainExactly
                listOf("[#3 file-2 768.0KiB/1.0MiB(75%) DL:128.0KiB/s]", "[#4 file-3 100B DL:0B/s]")
            lines.last().replace(Regex("DL:\\S+"), "DL:?") shouldBe "[TOTAL 1/5 CN:2 DL:? WAITED:3.3 s]"
        }
    })

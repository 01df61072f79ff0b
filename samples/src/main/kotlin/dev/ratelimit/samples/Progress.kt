package dev.ratelimit.samples

import com.github.ajalt.mordant.animation.textAnimation
import com.github.ajalt.mordant.terminal.Terminal
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds

/** Shows downloads: moving lines where the output is a terminal, a line for each finished file everywhere. */
internal class Progress(
    private val terminal: Terminal,
    private val downloads: List<Download>,
    private val waits: WaitClock,
) {
    private val start = System.nanoTime()

    @Synchronized
    fun finished(download: Download) {
        if (download.state == DownloadState.DONE) {
            terminal.println("OK    ${download.url} -> ${download.file} (${bytes(download.received.get())})")
        } else {
            terminal.println("FAIL  ${download.url}: ${download.outcome}", stderr = !terminal.terminalInfo.outputInteractive)
        }
    }

    /** A line for each file that is coming in, and one for all. */
    fun lines(now: Long = System.nanoTime()): List<String> =
        downloads.filter { it.state == DownloadState.RECEIVING }.map { it.line(now) } + totalLine(now)

    fun summary(now: Long = System.nanoTime()): String {
        val done = downloads.count { it.state == DownloadState.DONE }
        return "$done of ${downloads.size} files, ${bytes(allBytes())} in ${seconds((now - start).nanoseconds)}; " +
            "${seconds(waits.total)} spent waiting for permits"
    }

    private fun totalLine(now: Long): String {
        val states = downloads.groupingBy { it.state }.eachCount()
        val finished = listOf(DownloadState.DONE, DownloadState.FAILED).sumOf { states[it] ?: 0 }
        return "[TOTAL $finished/${downloads.size} CN:${(states[DownloadState.RECEIVING] ?: 0) + (states[DownloadState.ASKING] ?: 0)} " +
            "DL:${speed(allBytes(), now - start)} WAITED:${seconds(waits.total)}]"
    }

    private fun Download.line(now: Long): String {
        val size = expected?.let { "/${bytes(it)}(${if (it == 0L) 100 else received.get() * 100 / it}%)" }.orEmpty()
        return "[#$number ${file.fileName} ${bytes(received.get())}$size DL:${speed(received.get(), now - since)}]"
    }

    private fun allBytes() = downloads.sumOf { it.received.get() }
}

/** Runs [work] with its progress on show, and sums it up at the end. */
internal suspend fun withProgress(terminal: Terminal, downloads: List<Download>, waits: WaitClock, work: suspend (Progress) -> Unit) {
    val progress = Progress(terminal, downloads, waits)
    if (terminal.terminalInfo.outputInteractive) animated(terminal, progress) { work(progress) } else work(progress)
    terminal.println(progress.summary())
}

private suspend fun animated(terminal: Terminal, progress: Progress, work: suspend () -> Unit) =
    coroutineScope {
        val animation = terminal.textAnimation<List<String>> { it.joinToString("\n") }
        animation.update(progress.lines())
        val drawing =
            launch {
                while (true) {
                    delay(200.milliseconds)
                    animation.update(progress.lines())
                }
            }
        try {
            work()
        } finally {
            drawing.cancel()
            drawing.join()
            animation.clear()
        }
    }

package dev.ratelimit.samples

import com.github.ajalt.mordant.animation.textAnimation
import com.github.ajalt.mordant.terminal.Terminal
import dev.ratelimit.ktor.client.DownloadEvent
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds

/** Shows downloads: moving lines where the output is a terminal, a line for each finished or repeated file everywhere. */
internal class Progress(
    private val terminal: Terminal,
    private val downloads: List<Download>,
    private val waits: WaitClock,
) {
    private val start = System.nanoTime()

    fun finished(download: Download) {
        val failure = download.failure
        if (failure == null) {
            val resumed = download.resumedFrom.takeIf { it > 0 }?.let { ", ${bytes(it)} of it from before" }.orEmpty()
            terminal.println("OK    ${download.url} -> ${download.file} (${bytes(download.received)}$resumed)")
        } else {
            complain("FAIL  ${download.url}: ${failure.reason}")
        }
    }

    fun repeated(download: Download, retry: DownloadEvent.Retry) =
        complain("RETRY ${download.url}: ${retry.reason}; try ${retry.number + 1} in ${seconds(retry.pause)}")

    /** A file that is there already. */
    fun skipped(download: Download) = terminal.println("HAVE  ${download.url} -> ${download.file}")

    /** What Ctrl-C leaves: files of so many bytes. */
    fun stopped(kept: List<Long>) {
        val partial =
            when (kept.size) {
                0 -> "no partial files are kept"
                1 -> "1 partial file is kept (${bytes(kept.sum())}); the same command with --resume continues it"
                else -> "${kept.size} partial files are kept (${bytes(kept.sum())}); the same command with --resume continues them"
            }
        complain("Stopped. ${summary()}; $partial")
    }

    private fun complain(line: String) = terminal.println(line, stderr = !terminal.terminalInfo.outputInteractive)

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
        return "[TOTAL $finished/${downloads.size} CN:${states[DownloadState.RECEIVING] ?: 0} " +
            "DL:${speed(allBytes(), now - start)} WAITED:${seconds(waits.total)}]"
    }

    private fun Download.line(now: Long): String {
        val size = expected?.let { "/${bytes(it)}(${if (it == 0L) 100 else received * 100 / it}%)" }.orEmpty()
        return "[#$number ${file.fileName} ${bytes(received)}$size DL:${speed(received - resumedFrom, now - since)}]"
    }

    /** Those that came now. */
    private fun allBytes() = downloads.sumOf { it.received - it.resumedFrom }
}

/** Runs [work] with its progress on show. */
internal suspend fun withProgress(terminal: Terminal, progress: Progress, work: suspend () -> Unit) {
    if (terminal.terminalInfo.outputInteractive) animated(terminal, progress, work) else work()
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
            withContext(NonCancellable) { drawing.cancelAndJoin() }
            animation.clear()
        }
    }

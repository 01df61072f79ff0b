package dev.ratelimit.samples.demo

import com.github.ajalt.mordant.rendering.TextColors.green
import com.github.ajalt.mordant.rendering.TextColors.red
import com.github.ajalt.mordant.terminal.Terminal
import dev.ratelimit.samples.bytes
import dev.ratelimit.samples.decimal
import kotlin.time.Duration.Companion.seconds
import dev.ratelimit.RateLimit as Limit

/**
 * Has several processes download from a strict server at once, twice: each with the limit for itself, then all under one limit in a shared
 * file; and shows who got what.
 */
internal class SharedDemo(
    private val terminal: Terminal,
    private val rate: Limit,
    private val processes: Int,
    private val parallel: Int,
    fileCount: Int = 24,
) {
    private val files = DemoFiles(fileCount)
    private val crew = Processes(processes, rate, parallel)
    private val all = 0 until processes

    /** Whether the shared limit kept its promise: no 429, and every byte of every file. */
    suspend fun run(): Boolean {
        terminal.println(
            "A server of our own on ${DemoServer.HOST} has ${files.count} files (${bytes(files.totalBytes)}), and answers $SERVER_MOST " +
                "requests in any one second.\n$processes processes (JVMs) share the work, $parallel files at a time in each.",
        )

        terminal.println("\nEach under --rate '$rate' for itself (1 to $processes: answered to that process, x 429):")
        val without = crew.download(files, judge(), isShared = false)
        terminal.println(timeline(without.arrivals))

        terminal.println("\nAll under --rate '$rate' --shared FILE:")
        val with = crew.download(files, judge(), isShared = true)
        terminal.println(timeline(with.arrivals))

        terminal.println("\n" + whoGotWhat(with) + "\n\n" + comparison(without, with))
        return verdict(with)
    }

    private fun judge() = RequestJudge(SERVER_MOST, 1.seconds)

    private fun whoGotWhat(with: SharedOutcome): String {
        fun line(label: String, cells: List<Any>) = label.padEnd(LABEL) + cells.joinToString("") { "$it".padStart(CELL) }
        val half = with.arrivals.take(files.count / 2)
        val shares = crew.shares(files)
        return listOf(
            line("who got what", all.map { "process ${it + 1}" } + "together"),
            line("downloads of the first ${half.size}", all.map { with.answeredOf(it, half) }.withSum()),
            line("downloads", all.map { with.answeredOf(it) }.withSum()),
            line("files complete, by SHA-256", (with.complete.withSum() zip shares.map { it.size }.withSum()).map { (a, b) -> "$a of $b" }),
        ).joinToString("\n")
    }

    private fun List<Int>.withSum() = this + sum()

    private fun comparison(without: SharedOutcome, with: SharedOutcome): String {
        fun line(label: String, value: (SharedOutcome) -> String) =
            label.padEnd(LABEL) + value(without).padStart(CELL) + value(with).padStart(CELL)
        return listOf(
            line("") { if (it === without) "each" else "shared" },
            line("requests that got 429") { "${it.refused}" },
            line("requests a second, limit $rate") { decimal(it.rate) },
            line("most requests in any one second") { "${it.busiest}" },
        ).joinToString("\n")
    }

    private fun verdict(with: SharedOutcome): Boolean {
        val missing = files.count - with.complete.sum()
        val isKept = with.refused == 0 && missing == 0
        terminal.println(
            if (isKept) {
                green("\nThe shared limit held: no request of any process was refused, and every file is complete.")
            } else {
                red("\nThe shared limit was exceeded: ${with.refused} requests got 429, $missing files are missing.")
            },
        )
        return isKept
    }

    companion object {
        /** What the server answers in any one second. */
        private const val SERVER_MOST = 10

        private const val LABEL = 36
        private const val CELL = 12

        /**
         * Far enough below the server's that requests which are late, because a process has only just begun, do not
         * arrive there with too many others.
         */
        val DEFAULT_RATE: Limit = Limit.perSecond(5.0).withBurst(1)
    }
}

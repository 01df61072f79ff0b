package dev.ratelimit.samples.demo

import com.github.ajalt.mordant.rendering.TextColors.green
import com.github.ajalt.mordant.rendering.TextColors.red
import com.github.ajalt.mordant.terminal.Terminal
import dev.ratelimit.ktor.client.DownloadSettings
import dev.ratelimit.ktor.client.Downloader
import dev.ratelimit.samples.WaitClock
import dev.ratelimit.samples.bytes
import dev.ratelimit.samples.decimal
import dev.ratelimit.samples.seconds
import io.ktor.client.HttpClient
import io.ktor.client.engine.cio.CIO
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import dev.ratelimit.RateLimit as Limit

/** Downloads the same files from a strict server twice, without and with the limiter, and shows the difference. */
internal class Demo(
    private val terminal: Terminal,
    private val rate: Limit,
    private val parallel: Int,
    fileCount: Int = 40,
) {
    private val files = DemoFiles(fileCount)

    /** Whether the limiter kept its promise: no 429, and every byte of every file. */
    suspend fun run(): Boolean {
        terminal.println(
            "A server of our own on ${DemoServer.HOST} has ${files.count} files (${bytes(
                files.totalBytes,
            )}). It answers $SERVER_MOST requests\n" +
                "in any one second, counted by a log of its own that knows nothing of the limiter, and 429 Too\n" +
                "Many Requests to the others.",
        )

        terminal.println("\nWithout the limiter, $parallel at a time (# answered, x 429, a line for each quarter of a second):")
        val without =
            HttpClient(CIO).use { client ->
                runOnce(files, judge(), { Duration.ZERO }) { client.downloadUnlimited(it, parallel) }
            }
        terminal.println(timeline(without.arrivals))

        terminal.println("\nWith install(HttpRequestRateLimit) { otherHosts(RateLimit.parse(\"$rate\")) }:")
        if (rate == DEFAULT_RATE) {
            terminal.println(
                "8 a second, one after another, for a server that takes 10: what counts over there is when requests\n" +
                    "arrive, and some are longer on their way than others.",
            )
        }
        val waits = WaitClock()
        val with = Downloader(settings(waits)).use { downloader -> runOnce(files, judge(), { waits.total }) { downloader.downloadAll(it) } }
        terminal.println(timeline(with.arrivals))

        terminal.println("\n" + comparison(without, with))
        return verdict(with)
    }

    /** Without retries: each 429 is to be seen. */
    private fun settings(waits: WaitClock) =
        DownloadSettings.builder().rate(rate).parallelism(parallel).retries(0).listener(waits).build()

    private fun judge() = RequestJudge(SERVER_MOST, 1.seconds)

    private fun comparison(without: Outcome, with: Outcome): String {
        fun line(label: String, value: (Outcome) -> String) =
            label.padEnd(34) + value(without).padStart(10) + value(with).padStart(12)
        return listOf(
            line("") { if (it === without) "without" else "with" },
            line("requests that got 429") { "${it.refused}" },
            line("files complete, by SHA-256") { "${it.complete} of ${files.count}" },
            line("requests a second") { decimal(it.rate) },
            line("waiting for permits, all together") { seconds(it.waited) },
        ).joinToString("\n")
    }

    private fun verdict(with: Outcome): Boolean {
        val isKept = with.refused == 0 && with.complete == files.count
        terminal.println(
            if (isKept) {
                green("\nThe limit held: no request was refused, and every file is complete.")
            } else {
                red("\nThe limit was exceeded: ${with.refused} requests got 429, ${files.count - with.complete} files are missing.")
            },
        )
        return isKept
    }

    companion object {
        /** What the server answers in any one second. */
        private const val SERVER_MOST = 10

        val DEFAULT_RATE: Limit = Limit.perSecond(8.0).withBurst(1)
    }
}

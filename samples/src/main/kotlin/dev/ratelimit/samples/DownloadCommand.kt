package dev.ratelimit.samples

import com.github.ajalt.clikt.command.SuspendingCliktCommand
import com.github.ajalt.clikt.core.Context
import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.core.terminal
import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.multiple
import com.github.ajalt.clikt.parameters.options.convert
import com.github.ajalt.clikt.parameters.options.default
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.help
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.types.choice
import com.github.ajalt.clikt.parameters.types.int
import com.github.ajalt.clikt.parameters.types.path
import com.github.ajalt.clikt.parameters.types.restrictTo
import dev.ratelimit.ktor.client.DownloadSettings
import dev.ratelimit.ktor.client.bytesPerSecond
import dev.ratelimit.samples.demo.Demo
import dev.ratelimit.samples.demo.SharedDemo
import java.io.IOException
import java.io.InputStream
import java.nio.file.Path
import kotlin.io.path.createDirectories
import dev.ratelimit.RateLimit as Limit

/** Downloads URLs at a rate that their hosts allow; without URLs, shows what that is worth. */
internal class DownloadCommand(
    private val stdin: InputStream = System.`in`,
) : SuspendingCliktCommand(name = "demo") {
    private val urls by argument("URL").multiple()

    private val input: String? by option("-i", "--input-file", metavar = "FILE")
        .help("Read URLs from FILE, one a line, or from standard input if it is -; lines that begin with # are comments.")

    private val rate: Limit? by option("--rate", metavar = "LIMIT")
        .convert("LIMIT") { text -> runCatching { Limit.parse(text) }.getOrElse { fail(it.message.orEmpty()) } }
        .help("The most requests to each host: 8/s, 100/m, '8/s burst 1', ... (default: 8/s; of the demo: 8/s burst 1)")

    private val limitRate: Long? by option("--limit-rate", metavar = "RATE")
        .convert("RATE") { text -> runCatching { byteRate(text) }.getOrElse { fail(it.message.orEmpty()) } }
        .help("The most bytes a second, of all files together: 500K, 2.5M, 1G. (default: no limit)")

    private val parallel: Int by option("--parallel", metavar = "N")
        .int()
        .restrictTo(1..100)
        .default(4)
        .help("Download N files at a time. (default: 4)")

    private val retries: Int by option("--retries", metavar = "N")
        .int()
        .restrictTo(0..1000)
        .default(3)
        .help("Ask for a file up to N times more when the server cannot give it now, or the connection breaks. (default: 3)")

    private val dir: Path by option("--dir", metavar = "DIR")
        .path(canBeFile = false)
        .default(Path.of("."), defaultForHelp = "here")
        .help("Where the files go; made when it is missing. (default: here)")

    private val isResumed: Boolean by option("--resume")
        .flag()
        .help("Go on where the same command was ended: files that are there count as done, partial ones are continued.")

    private val store: StoreKind? by option("--store")
        .choice(StoreKind.entries.associateBy { it.name.lowercase() })
        .help("Where the limit is kept: in memory, for this downloader alone; in a file (--shared); in Redis (--redis-url).")

    private val shared: Path? by option("--shared", metavar = "FILE")
        .path(canBeDir = false)
        .help("Keep the limit in FILE, for all downloaders of this machine that name the same FILE; made when it is missing.")

    private val redisUrl: String? by option("--redis-url", metavar = "URL")
        .help("Keep the limit in the Redis at URL, for all downloaders that name the same: redis://user:password@host:6379")

    private val processes: Int? by option("--processes", metavar = "N")
        .int()
        .restrictTo(2..9)
        .help("Demo: N processes download at once, each under the limit for itself, then all under one. (its default: 5/s burst 1)")

    override fun help(context: Context) =
        """
        Downloads the URLs, politely. Files that exist are never overwritten. Ctrl-C keeps what has come of files that can be continued.

        Without URLs it is a demo that needs no network: it starts a server of its own, which answers 429 Too Many Requests above a
        limit, and downloads from it without and with the limiter; with --processes, from several processes without and with a shared file.

        ${ExitCodes.HELP}
        """.trimIndent()

    override suspend fun run() {
        val list = input?.let { UrlList(it, stdin) }
        val all = urls.mapIndexed { i, url -> UrlList.checked(url, "argument ${i + 1}") } + list?.read().orEmpty()
        misuse(all, list)?.let { throw UsageError(it) }
        val exitCode = if (all.isEmpty()) demo() else download(all)
        if (exitCode != 0) throw ProgramResult(exitCode)
    }

    /** What is wrong with the options together, if anything. */
    private fun misuse(urls: List<String>, list: UrlList?): String? =
        when {
            urls.isNotEmpty() && processes != null ->
                "--processes is for the demo; with URLs, start as many downloaders as you like with one --shared FILE"
            urls.isNotEmpty() -> storeChoice().misuse()
            list != null -> "there is no URL in $list; write one a line"
            shared != null -> "--shared needs URLs; write --processes N for the demo of it"
            limitRate != null -> "--limit-rate needs URLs; the demo limits requests, not bytes"
            redisUrl != null || store != null -> "--store and --redis-url need URLs; the demo keeps its limit in memory"
            isResumed -> "--resume needs URLs; write those of the command that was ended"
            else -> null
        }

    private fun storeChoice() = StoreChoice(store, shared, redisUrl)

    private suspend fun demo(): Int {
        val processes = processes
        val isFine =
            if (processes == null) {
                Demo(terminal, rate ?: Demo.DEFAULT_RATE, parallel).run()
            } else {
                SharedDemo(terminal, rate ?: SharedDemo.DEFAULT_RATE, processes, parallel).run()
            }
        return if (isFine) 0 else ExitCodes.OTHER
    }

    private suspend fun download(urls: List<String>): Int {
        try {
            dir.createDirectories()
        } catch (e: IOException) {
            throw usage("--dir '$dir' cannot be made (${e.javaClass.simpleName}: ${e.message}); write a directory that can be", e)
        }
        storeChoice().open().use { limits ->
            return ExitCodes.of(Downloading(terminal, dir, isResumed) { settings(it).store(limits).build() }.run(urls))
        }
    }

    private fun settings(waits: WaitClock) =
        DownloadSettings
            .builder()
            .rate(rate ?: Limit.perSecond(8.0))
            .parallelism(parallel)
            .retries(retries)
            .userAgent("ratelimit-samples")
            .listener(waits)
            .limits { limits -> limitRate?.let { limits.bandwidth(it.bytesPerSecond) } }
}

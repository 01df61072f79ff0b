package dev.ratelimit.samples

import com.github.ajalt.clikt.command.SuspendingCliktCommand
import com.github.ajalt.clikt.command.parse
import com.github.ajalt.clikt.core.CliktError
import com.github.ajalt.clikt.core.Context
import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.core.terminal
import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.multiple
import com.github.ajalt.clikt.parameters.options.convert
import com.github.ajalt.clikt.parameters.options.default
import com.github.ajalt.clikt.parameters.options.help
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.types.int
import com.github.ajalt.clikt.parameters.types.path
import com.github.ajalt.clikt.parameters.types.restrictTo
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.SharedMemoryStore
import dev.ratelimit.samples.demo.Demo
import dev.ratelimit.samples.demo.SharedDemo
import dev.ratelimit.spi.RateLimitStore
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import java.io.IOException
import java.nio.charset.MalformedInputException
import java.nio.file.Path
import kotlin.io.path.createDirectories
import kotlin.io.path.readLines
import kotlin.system.exitProcess
import dev.ratelimit.RateLimit as Limit

/** Downloads URLs at a rate that their hosts allow; without URLs, shows what that is worth. */
internal class Downloader : SuspendingCliktCommand(name = "demo") {
    private val urls by argument("URL").multiple()

    private val input: Path? by option("-i", "--input-file", metavar = "FILE")
        .path(mustExist = true, canBeDir = false, mustBeReadable = true)
        .help("Read URLs from FILE, one a line; lines that begin with # are comments.")

    private val rate: Limit? by option("--rate", metavar = "LIMIT")
        .convert("LIMIT") { text -> runCatching { Limit.parse(text) }.getOrElse { fail(it.message.orEmpty()) } }
        .help("The most requests to each host: 8/s, 100/m, '8/s burst 1', ... (default: 8/s; of the demo: 8/s burst 1)")

    private val parallel: Int by option("--parallel", metavar = "N")
        .int()
        .restrictTo(1..100)
        .default(4)
        .help("Download N files at a time. (default: 4)")

    private val dir: Path by option("--dir", metavar = "DIR")
        .path(canBeFile = false)
        .default(Path.of("."), defaultForHelp = "here")
        .help("Where the files go; made when it is missing. (default: here)")

    private val shared: Path? by option("--shared", metavar = "FILE")
        .path(canBeDir = false)
        .help("Keep the limit in FILE, for all downloaders of this machine that name the same FILE; made when it is missing.")

    private val processes: Int? by option("--processes", metavar = "N")
        .int()
        .restrictTo(2..9)
        .help("Demo: N processes download at once, each under the limit for itself, then all under one. (its default: 5/s burst 1)")

    override fun help(context: Context) =
        """
        Downloads the URLs, politely. Files that exist are never overwritten.

        Without URLs it is a demo that needs no network: it starts a server of its own, which answers 429 Too Many Requests above a
        limit, and downloads from it without and with the limiter; with --processes, from several processes without and with a shared file.

        Exit codes: 0 all is well, 1 a download failed (in the demo: the limit was exceeded), 2 the command line is wrong.
        """.trimIndent()

    override suspend fun run() {
        val all = urls.mapIndexed { i, url -> checked(url, "argument ${i + 1}") } + input?.let(::urlsOf).orEmpty()
        misuse(all)?.let { throw UsageError(it) }
        val isFine = if (all.isEmpty()) demo() else download(all)
        if (!isFine) throw ProgramResult(1)
    }

    /** What is wrong with the options together, if anything. */
    private fun misuse(urls: List<String>): String? =
        when {
            urls.isNotEmpty() && processes != null ->
                "--processes is for the demo; with URLs, start as many downloaders as you like with one --shared FILE"
            urls.isNotEmpty() -> null
            input != null -> "there is no URL in $input; write one a line"
            shared != null -> "--shared needs URLs; write --processes N for the demo of it"
            else -> null
        }

    private suspend fun demo(): Boolean {
        val processes = processes ?: return Demo(terminal, rate ?: Demo.DEFAULT_RATE, parallel).run()
        return SharedDemo(terminal, rate ?: SharedDemo.DEFAULT_RATE, processes, parallel).run()
    }

    private suspend fun download(urls: List<String>): Boolean {
        try {
            dir.createDirectories()
        } catch (e: IOException) {
            val reason = "${e.javaClass.simpleName}: ${e.message}"
            throw UsageError("--dir '$dir' cannot be made ($reason); write a directory that can be").apply { addSuppressed(e) }
        }
        val waits = WaitClock()
        val names = FileNames(dir)
        val downloads = urls.mapIndexed { i, url -> Download(i + 1, url, names.pick(url)) }
        store().use { store ->
            limitedClient(rate ?: Limit.perSecond(8.0), waits, store).use { client ->
                withProgress(terminal, downloads, waits) { progress -> downloadAll(client, downloads, parallel, progress::finished) }
            }
        }
        return downloads.all { it.state == DownloadState.DONE }
    }

    private fun store(): RateLimitStore {
        val file = shared ?: return MemoryStore()
        try {
            return SharedMemoryStore.open(file, MOST_HOSTS)
        } catch (e: RateLimitStoreException) {
            throw UsageError("--shared: ${e.message}").apply { addSuppressed(e) }
        }
    }

    private fun urlsOf(file: Path): List<String> =
        linesOf(file).mapIndexedNotNull { i, line ->
            line.trim().takeUnless { it.isEmpty() || it.startsWith("#") }?.let { checked(it, "line ${i + 1} of $file") }
        }

    private fun linesOf(file: Path): List<String> =
        try {
            file.readLines().map { it.removePrefix("\uFEFF") }
        } catch (e: MalformedInputException) {
            throw UsageError("$file is not UTF-8 (${e.message}); write it as UTF-8 or ASCII").apply { addSuppressed(e) }
        }

    private fun checked(url: String, where: String): String {
        if (!isHttpUrl(url)) throw UsageError("$where, '$url', is not a URL; write for example https://example.com/file.zip")
        return url
    }

    private companion object {
        /** Of one shared file, at a time. */
        const val MOST_HOSTS = 10_000
    }
}

/** Runs the command line; see the help for the exit codes. */
internal suspend fun Downloader.exitCode(args: List<String>): Int =
    try {
        parse(args)
        0
    } catch (e: CliktError) {
        echoFormattedHelp(e)
        if (e is UsageError) 2 else e.statusCode
    }

fun main(args: Array<String>) {
    exitProcess(runBlocking(Dispatchers.Default) { Downloader().exitCode(args.asList()) })
}

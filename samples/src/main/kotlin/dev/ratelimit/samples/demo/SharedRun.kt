package dev.ratelimit.samples.demo

import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.ExperimentalPathApi
import kotlin.io.path.deleteRecursively
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import dev.ratelimit.RateLimit as Limit

/** What came of several processes downloading at once: when requests came, by the server's log, and how many files each got. */
internal class SharedOutcome(
    val arrivals: List<Arrival>,
    val complete: List<Int>,
) {
    val refused: Int get() = arrivals.count { !it.isAnswered }
    val rate: Double get() = (arrivals.size - 1) * 1e9 / (arrivals.maxOf { it.at }.coerceAtLeast(1))

    /** The most requests in any one second, refused ones too. */
    val busiest: Int get() = arrivals.maxOf { first -> arrivals.count { it.at - first.at in 0 until SECOND.inWholeNanoseconds } }

    fun answeredOf(process: Int, among: List<Arrival> = arrivals): Int = among.count { it.from == "${process + 1}" && it.isAnswered }

    private companion object {
        val SECOND: Duration = 1.seconds
    }
}

/** How the work is done: [count] processes under [rate], [parallel] downloads at a time in each. */
internal class Processes(
    val count: Int,
    private val rate: Limit,
    private val parallel: Int,
) {
    /** Which of the files each process is to get: like cards, one after another. */
    fun shares(files: DemoFiles): List<List<Int>> = List(count) { process -> (process until files.count step count).toList() }

    /** Downloads all [files] from a fresh server to a folder that is gone afterwards; all under one limit if [isShared]. */
    @OptIn(ExperimentalPathApi::class)
    suspend fun download(files: DemoFiles, judge: RequestJudge, isShared: Boolean): SharedOutcome {
        val dir = Files.createTempDirectory("ratelimit-demo")
        try {
            val shares = shares(files)
            val limits = if (isShared) listOf("--shared", "${dir.resolve("limits")}") else emptyList()
            DemoServer.use(files, judge) { server ->
                val urls = shares.mapIndexed { i, share -> share.map { "$server/${i + 1}/${files.name(it)}" } }
                runAll(urls.mapIndexed { i, own -> limits + arguments(dir.resolve("${i + 1}")) + own }, dir)
            }
            return SharedOutcome(judge.arrivals, shares.mapIndexed { i, share -> files.completeIn(dir.resolve("${i + 1}"), share) })
        } finally {
            dir.deleteRecursively()
        }
    }

    private fun arguments(dir: Path) = listOf("--rate", "$rate", "--parallel", "$parallel", "--retries", "0", "--dir", "$dir")

    private suspend fun runAll(arguments: List<List<String>>, dir: Path) {
        val started = mutableListOf<DownloaderProcess>()
        try {
            arguments.forEachIndexed { i, args -> started += DownloaderProcess.start(args, dir.resolve("${i + 1}.log")) }
            started.forEach { it.finish() }
        } finally {
            started.forEach { it.close() }
        }
    }
}

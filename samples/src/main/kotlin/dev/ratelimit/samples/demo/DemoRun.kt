package dev.ratelimit.samples.demo

import dev.ratelimit.samples.Download
import dev.ratelimit.samples.downloadAll
import io.ktor.client.HttpClient
import java.nio.file.Files
import kotlin.io.path.ExperimentalPathApi
import kotlin.io.path.deleteRecursively
import kotlin.time.Duration

/** What came of downloading all files once. */
internal class Outcome(
    val arrivals: List<Arrival>,
    val complete: Int,
    val waited: Duration,
) {
    val refused = arrivals.count { !it.isAnswered }

    /** Requests a second, from the first to the last. */
    val rate: Double get() = (arrivals.size - 1) * 1e9 / (arrivals.maxOf { it.at }.coerceAtLeast(1))
}

/** Downloads all [files] from a fresh server to a directory that is gone afterwards. */
@OptIn(ExperimentalPathApi::class)
internal suspend fun runOnce(
    files: DemoFiles,
    judge: RequestJudge,
    client: HttpClient,
    parallel: Int,
    waited: () -> Duration,
): Outcome {
    val dir = Files.createTempDirectory("ratelimit-demo")
    try {
        client.use {
            DemoServer.use(files, judge) { server ->
                val downloads = List(files.count) { Download(it + 1, "$server/${files.name(it)}", dir.resolve(files.name(it))) }
                downloadAll(client, downloads, parallel) { }
            }
        }
        return Outcome(judge.arrivals, files.completeIn(dir), waited())
    } finally {
        dir.deleteRecursively()
    }
}

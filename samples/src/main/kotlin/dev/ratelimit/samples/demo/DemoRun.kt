package dev.ratelimit.samples.demo

import dev.ratelimit.ktor.client.DownloadException
import dev.ratelimit.ktor.client.DownloadRequest
import dev.ratelimit.ktor.client.download
import io.ktor.client.HttpClient
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Semaphore
import kotlinx.coroutines.sync.withPermit
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

/** Downloads all [files] from a fresh server, by [fetch], to a directory that is gone afterwards. */
@OptIn(ExperimentalPathApi::class)
internal suspend fun runOnce(
    files: DemoFiles,
    judge: RequestJudge,
    waited: () -> Duration,
    fetch: suspend (List<DownloadRequest>) -> Unit,
): Outcome {
    val dir = Files.createTempDirectory("ratelimit-demo")
    try {
        DemoServer.use(files, judge) { server ->
            fetch(List(files.count) { DownloadRequest.of("$server/${files.name(it)}", dir.resolve(files.name(it))) })
        }
        return Outcome(judge.arrivals, files.completeIn(dir), waited())
    } finally {
        dir.deleteRecursively()
    }
}

/** What one would write without a limiter: [parallel] at a time. Those that the server refuses are missing afterwards. */
internal suspend fun HttpClient.downloadUnlimited(requests: List<DownloadRequest>, parallel: Int) =
    coroutineScope {
        val places = Semaphore(parallel)
        for (request in requests) launch { places.withPermit { attempt(request) } }
    }

private suspend fun HttpClient.attempt(request: DownloadRequest) {
    try {
        download(request)
    } catch (ignored: DownloadException) {
        // The server's log has it.
        return
    }
}

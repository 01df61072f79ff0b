package dev.ratelimit.samples

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitListener
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.ktor.client.HttpRequestRateLimit
import dev.ratelimit.spi.RateLimitStore
import io.ktor.client.HttpClient
import io.ktor.client.engine.cio.CIO
import io.ktor.client.plugins.HttpTimeout
import io.ktor.client.plugins.UserAgent
import io.ktor.client.request.prepareGet
import io.ktor.client.statement.HttpResponse
import io.ktor.client.statement.bodyAsChannel
import io.ktor.http.contentLength
import io.ktor.http.isSuccess
import io.ktor.http.parseUrl
import io.ktor.utils.io.readAvailable
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Semaphore
import kotlinx.coroutines.sync.withPermit
import kotlinx.coroutines.withContext
import java.io.IOException
import java.nio.file.FileAlreadyExistsException
import java.nio.file.Path
import java.nio.file.StandardCopyOption.ATOMIC_MOVE
import kotlin.io.path.createFile
import kotlin.io.path.deleteIfExists
import kotlin.io.path.moveTo
import kotlin.io.path.outputStream

/** A client that makes no more requests than [rate] to each host, alone or together with all others on its [store]. */
internal fun limitedClient(rate: RateLimit, listener: RateLimitListener, store: RateLimitStore = MemoryStore()) =
    HttpClient(CIO) {
        engine { requestTimeout = 0 }
        install(UserAgent) { agent = "ratelimit-samples" }
        install(HttpRequestRateLimit) {
            otherHosts(rate)
            this.store = store
            this.listener = listener
        }
        install(HttpTimeout) {
            connectTimeoutMillis = 10_000
            socketTimeoutMillis = 30_000
        }
    }

internal fun isHttpUrl(text: String): Boolean =
    Regex("https?://[^/?#]+.*", RegexOption.IGNORE_CASE).matches(text) && parseUrl(text) != null

/** Fetches all of [downloads], [parallel] at a time; tells [onFinished] of each, be it done or failed. */
internal suspend fun downloadAll(client: HttpClient, downloads: List<Download>, parallel: Int, onFinished: (Download) -> Unit) =
    coroutineScope {
        val places = Semaphore(parallel)
        for (download in downloads) {
            launch {
                places.withPermit { download.fetch(client) }
                onFinished(download)
            }
        }
    }

@Suppress("TooGenericExceptionCaught") // Whatever goes wrong with one file, the others go on.
private suspend fun Download.fetch(client: HttpClient) {
    try {
        state = DownloadState.ASKING
        val isDone = client.prepareGet(url).execute { receive(it) }
        state = if (isDone) DownloadState.DONE else DownloadState.FAILED
    } catch (e: Exception) {
        currentCoroutineContext().ensureActive()
        outcome = if (e is FileAlreadyExistsException) "${e.file} exists by now" else e.message ?: e.javaClass.simpleName
        state = DownloadState.FAILED
    }
}

private suspend fun Download.receive(response: HttpResponse): Boolean {
    outcome = response.status.toString()
    if (!response.status.isSuccess()) return false
    expected = response.contentLength()
    since = System.nanoTime()
    state = DownloadState.RECEIVING
    val part = file.resolveSibling(".${file.fileName}.${ProcessHandle.current().pid()}.part")
    try {
        response.writeTo(part, this)
        val missing = (expected ?: received.get()) - received.get()
        if (missing != 0L) throw IOException("the answer ended $missing bytes too early")
        // Fails if somebody made a file of that name meanwhile; then there is nothing of theirs to replace.
        file.createFile()
        part.moveTo(file, ATOMIC_MOVE)
    } finally {
        part.deleteIfExists()
    }
    return true
}

private suspend fun HttpResponse.writeTo(part: Path, download: Download) =
    withContext(Dispatchers.IO) {
        val channel = bodyAsChannel()
        val buffer = ByteArray(64 * 1024)
        part.outputStream().use { out ->
            while (true) {
                val count = channel.readAvailable(buffer)
                if (count < 0) break
                out.write(buffer, 0, count)
                download.received.addAndGet(count.toLong())
            }
        }
    }

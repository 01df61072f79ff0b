package dev.ratelimit.samples

import com.github.ajalt.mordant.terminal.Terminal
import dev.ratelimit.ktor.client.DownloadEvent
import dev.ratelimit.ktor.client.DownloadFailure
import dev.ratelimit.ktor.client.DownloadRequest
import dev.ratelimit.ktor.client.DownloadSettings
import dev.ratelimit.ktor.client.Downloader
import kotlinx.coroutines.CancellationException
import java.nio.file.Path
import kotlin.io.path.exists
import kotlin.io.path.fileSize
import kotlin.io.path.name

/** Downloads URLs to [dir], and shows it. */
internal class Downloading(
    private val terminal: Terminal,
    private val dir: Path,
    private val isResumed: Boolean,
    private val settings: (WaitClock) -> DownloadSettings,
) {
    private val waits = WaitClock()

    /** What went wrong, of each file that failed. */
    suspend fun run(urls: List<String>): List<DownloadFailure> {
        val names = FileNames(dir, isResumed)
        val downloads = urls.mapIndexed { i, url -> Download(i + 1, url, names.pick(url)) }
        val progress = Progress(terminal, downloads, waits)
        Downloader(settings(waits)).use { downloader ->
            try {
                withProgress(terminal, progress) { fetchAll(downloader, downloads, progress) }
            } catch (e: CancellationException) {
                progress.stopped(downloads.map { it.part }.filter { it.exists() }.map { it.fileSize() })
                throw e
            }
        }
        terminal.println(progress.summary())
        return downloads.mapNotNull { it.failure?.failure }
    }

    private suspend fun fetchAll(downloader: Downloader, downloads: List<Download>, progress: Progress) {
        val (there, missing) = downloads.partition { isResumed && it.file.exists() }
        for (download in there) {
            download.state = DownloadState.DONE
            progress.skipped(download)
        }
        val byRequest = missing.associateBy { DownloadRequest.builder(it.url, it.file).resume(isResumed).build() }
        downloader.downloads(byRequest.keys).collect { event ->
            val download = byRequest.getValue(event.request)
            download.hear(event)
            if (event is DownloadEvent.Retry) progress.repeated(download, event)
            if (event is DownloadEvent.End) progress.finished(download)
        }
    }

    /** The library's name for what it keeps. */
    private val Download.part get() = file.resolveSibling(file.name + ".ratelimit-part")
}

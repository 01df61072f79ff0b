package dev.ratelimit.samples

import dev.ratelimit.ktor.client.DownloadEvent
import dev.ratelimit.ktor.client.DownloadException
import java.nio.file.Path

internal enum class DownloadState { QUEUED, RECEIVING, RETRYING, DONE, FAILED }

/** One file to fetch, and how far it is. Written by the one that hears of its events, read by the one that shows it. */
internal class Download(
    val number: Int,
    val url: String,
    val file: Path,
) {
    /** The bytes that are there, and how many of them there were before. */
    @Volatile
    var received = 0L

    @Volatile
    var resumedFrom = 0L

    /** How many bytes the whole file has, if the server has told. */
    @Volatile
    var expected: Long? = null

    /** When the first byte could come, in nanoseconds. */
    @Volatile
    var since = 0L

    /** Why it failed, if it did. */
    @Volatile
    var failure: DownloadException? = null

    @Volatile
    var state = DownloadState.QUEUED

    fun hear(event: DownloadEvent) {
        when (event) {
            is DownloadEvent.Progress -> hear(event)
            is DownloadEvent.Retry -> state = DownloadState.RETRYING
            is DownloadEvent.Done -> {
                received = event.file.bytes
                resumedFrom = event.file.resumedFrom
                state = DownloadState.DONE
            }
            is DownloadEvent.Failed -> {
                failure = event.cause
                state = DownloadState.FAILED
            }
        }
    }

    private fun hear(progress: DownloadEvent.Progress) {
        if (state != DownloadState.RECEIVING) since = System.nanoTime()
        received = progress.bytes
        resumedFrom = progress.resumedFrom
        expected = progress.size
        state = DownloadState.RECEIVING
    }
}

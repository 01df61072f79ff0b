package dev.ratelimit.samples

import java.nio.file.Path
import java.util.concurrent.atomic.AtomicLong

internal enum class DownloadState { QUEUED, ASKING, RECEIVING, DONE, FAILED }

/** One file to fetch, and how far it is. Written by the one that fetches it, read by the one that shows it. */
internal class Download(
    val number: Int,
    val url: String,
    val file: Path,
) {
    val received = AtomicLong()

    /** How many bytes the server has announced, if it has. */
    @Volatile
    var expected: Long? = null

    /** When the first byte could come, in nanoseconds. */
    @Volatile
    var since = 0L

    /** The status of the answer and, if it failed, why. */
    @Volatile
    var outcome = ""

    @Volatile
    var state = DownloadState.QUEUED
}

package dev.ratelimit.ktor.client

import dev.ratelimit.ktor.client.download.Transfer
import dev.ratelimit.ktor.client.download.eventsOf
import io.ktor.client.HttpClient
import kotlinx.coroutines.flow.Flow
import java.nio.file.Path

/**
 * Downloads the file at [url] to [target], which appears under its name when it is complete, and never before.
 *
 * ```kotlin
 * client.download("https://example.com/report.pdf", Path("downloads/report.pdf")) {
 *     ifExists(IfExists.REPLACE)
 *     digest("SHA-256", "9f86d081…")
 * }
 * ```
 *
 * **On the way** the bytes go to `report.pdf.ratelimit-part` beside the target, 64 KiB at a time. At the end their number is compared with
 * what the server announced, and the digest with the one that was asked for; then the file gets its name in one step.
 *
 * **Resuming.** What a cancelled, failed or killed download has left is continued by the next one of the same URL to the same target, with
 * Range and If-Range, if the server gave the file a strong validator: a strong ETag, or without any ETag a Last-Modified that was a minute
 * old. It is kept, with the length and a hash of the URL, in `report.pdf.ratelimit-note`. If the file has changed, or the server does not
 * know ranges, the download starts anew. What cannot be continued is removed. After a power loss only a digest tells whether
 * the system had written all that it said it had.
 *
 * **One download at a time** writes to a target, on this machine: others fail with [DownloadFailure.BUSY], or with [IfExists.NUMBER] take
 * another name.
 *
 * **The client** is used as it is: what is installed on it (retry, limit, timeout) works as for any request, but that neither HttpTimeout's
 * `requestTimeoutMillis` nor CIO's `requestTimeout` ends a download. HttpRequestRetry repeats requests, not answers that break off:
 * [Downloader] does. The server is asked not to compress, so that lengths mean something; one that does it all the same is refused.
 *
 * **Cancellation** ends it within one piece and leaves what can be continued.
 *
 * @return the complete file
 * @throws DownloadException for everything that can go wrong on the way
 * @throws IllegalArgumentException if a setting cannot be meant
 */
public suspend fun HttpClient.download(
    url: String,
    target: Path,
    configure: DownloadRequestBuilder.() -> Unit = {},
): DownloadedFile = download(DownloadRequest.builder(url, target).apply(configure).build())

/**
 * As the other function of this name, and [onEvent] is told how far it is: on whatever thread the download is on, so it should be quick.
 * What it throws ends the download and is thrown.
 */
public suspend fun HttpClient.download(
    request: DownloadRequest,
    onEvent: (DownloadEvent) -> Unit = {},
): DownloadedFile = Transfer(this, request, mostRetries = 0, onEvent).run().also { onEvent(DownloadEvent.Done(request, it)) }

/**
 * As [download], when the flow is collected, and each time that it is: cold. It tells how far the file is, and as its last element
 * [DownloadEvent.Done]; it fails as [download] does. To a slow collector only the newest progress is told, and it does not slow down the
 * download. To stop collecting is to cancel.
 */
public fun HttpClient.downloadAsFlow(request: DownloadRequest): Flow<DownloadEvent> = eventsOf { listener -> download(request, listener) }

/** As the other function of this name. */
public fun HttpClient.downloadAsFlow(
    url: String,
    target: Path,
    configure: DownloadRequestBuilder.() -> Unit = {},
): Flow<DownloadEvent> = downloadAsFlow(DownloadRequest.builder(url, target).apply(configure).build())

package dev.ratelimit.ktor.client

import dev.ratelimit.ktor.client.download.Part
import java.io.IOException
import java.nio.file.Path

/** Why a file could not be downloaded. */
public enum class DownloadFailure {
    /** The target exists, and may not be replaced. */
    EXISTS,

    /** Another download is writing to the same target, in this process or in another. */
    BUSY,

    /** The file cannot be written: no such folder, no permission, no room. */
    FILE,

    /** The server cannot be reached, or the connection broke or timed out. */
    NETWORK,

    /** The server answered that it does not give out the file; see [DownloadException.status]. */
    REFUSED,

    /** The answer ended earlier than announced. */
    TOO_SHORT,

    /** The answer was longer than announced. */
    TOO_LONG,

    /** The answer makes no sense: a range that was not asked for, an encoding that was not allowed. */
    PROTOCOL,

    /** The complete file does not have the digest that was expected. */
    DIGEST,

    /** The rate limiter let no request through: its line is full, its `maxWait` too short, its store broken. */
    LIMIT,
}

/**
 * A file could not be downloaded. The message names the URL (without credentials), the file and the reason.
 *
 * What has arrived is [kept][partial] if it can be continued: the server gave the file a strong validator, and what is there is not
 * known to be wrong. It is removed where it cannot be: without a validator, and after [DownloadFailure.TOO_LONG] and
 * [DownloadFailure.DIGEST].
 */
public class DownloadException internal constructor(
    /** Which kind of reason. */
    public val failure: DownloadFailure,
    /** Which download, its URL without credentials. Not kept by Java serialization. */
    @Transient
    public val request: DownloadRequest,
    /** Why, without URL and file. */
    public val reason: String,
    cause: Throwable? = null,
    /** The status code of the server's answer, if it was that; otherwise null. */
    public val status: Int? = null,
) : IOException("${request.url} -> ${request.target}: $reason", cause) {
    /** What was kept to be continued by the next download of the same URL to the same target; null if nothing was. */
    @Transient
    public var partial: Path? = null
        internal set

    /** How often the file was asked for again before it was given up. */
    public var retries: Int = 0
        internal set

    internal fun after(
        part: Part?,
        retries: Int,
    ): DownloadException =
        apply {
            partial = part?.kept()
            this.retries = retries
        }

    private companion object {
        const val serialVersionUID = 1L
    }
}

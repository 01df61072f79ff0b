package dev.ratelimit.ktor.client

import dev.ratelimit.ktor.client.download.Digest
import dev.ratelimit.ktor.client.download.downloadableUrl
import dev.ratelimit.ktor.client.download.redacted
import io.ktor.http.Url
import java.nio.file.Path

/** What becomes of a target that exists. It is looked at before the request and again at the end; nothing is replaced unasked. */
public enum class IfExists {
    /** The download fails with [DownloadFailure.EXISTS]. */
    FAIL,

    /** The new file takes the place of the old one when it is complete, in one step. */
    REPLACE,

    /** The new file gets the first free name of `report.1.pdf`, `report.2.pdf`, ...; [DownloadedFile.path] tells which. */
    NUMBER,
}

/** One file to download: from where, to where, and how. Immutable; made by [builder], or by [of] with nothing but defaults. */
public class DownloadRequest internal constructor(
    internal val address: Url,
    /** Where the complete file is to be. */
    public val target: Path,
    /** What becomes of a file that is there already. */
    public val ifExists: IfExists,
    /** Whether what an earlier attempt left is continued. */
    public val isResumed: Boolean,
    internal val digest: Digest?,
    internal val headers: Map<String, String>,
) {
    /** The URL, without the password in it, if there is one. */
    public val url: String = redacted(address.toString())

    override fun toString(): String = "$url -> $target"

    public companion object {
        /** The file at this URL, with the default settings. See [builder]. */
        @JvmStatic
        public fun of(
            url: String,
            target: Path,
        ): DownloadRequest = builder(url, target).build()

        /**
         * Begins the request for the file at [url], an `http` or `https` URL, to become the file [target], whose folder has to exist. A
         * user and a password in the URL are sent as basic authentication, to its host only, and never shown.
         *
         * @throws IllegalArgumentException if [url] is none that can be downloaded, or [target] names no file
         */
        @JvmStatic
        public fun builder(
            url: String,
            target: Path,
        ): DownloadRequestBuilder {
            require(!target.fileName?.toString().isNullOrEmpty()) {
                "target '$target' names no file; write for example downloads/report.pdf"
            }
            return DownloadRequestBuilder(downloadableUrl(url), target)
        }
    }
}

/** Made by [DownloadRequest.builder]. Not thread-safe; the requests are. */
public class DownloadRequestBuilder internal constructor(
    private val url: Url,
    private val target: Path,
) {
    private var ifExists = IfExists.FAIL
    private var isResumed = true
    private var digest: Digest? = null
    private val headers = LinkedHashMap<String, String>()

    /** What becomes of a target that exists; by default the download fails. */
    public fun ifExists(ifExists: IfExists): DownloadRequestBuilder = apply { this.ifExists = ifExists }

    /** Whether to continue what an earlier attempt left, where that is safe; true by default. Otherwise it is thrown away. */
    public fun resume(resume: Boolean): DownloadRequestBuilder = apply { isResumed = resume }

    /**
     * The digest that the complete file must have: `digest("SHA-256", "9f86d081…")`. A file with another one never gets its name.
     *
     * @throws IllegalArgumentException if the algorithm is unknown, or [expected] is no hexadecimal number of its length
     */
    public fun digest(
        algorithm: String,
        expected: String,
    ): DownloadRequestBuilder = apply { digest = Digest.of(algorithm, expected) }

    /**
     * A header of the request, such as `Authorization`; not one that the download itself sets: `Range`, `If-Range`, `Accept-Encoding`.
     *
     * @throws IllegalArgumentException if it is one of these
     */
    public fun header(
        name: String,
        value: String,
    ): DownloadRequestBuilder =
        apply {
            require(OWN.none { it.equals(name, ignoreCase = true) }) { "header '$name' is set by the download itself; leave it out" }
            headers[name] = value
        }

    /** The request. */
    public fun build(): DownloadRequest = DownloadRequest(url, target, ifExists, isResumed, digest, headers.toMap())

    private companion object {
        val OWN = listOf("Range", "If-Range", "Accept-Encoding")
    }
}

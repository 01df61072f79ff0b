package dev.ratelimit.ktor.client.download

import dev.ratelimit.ktor.client.DownloadEvent
import dev.ratelimit.ktor.client.DownloadException
import dev.ratelimit.ktor.client.DownloadFailure
import dev.ratelimit.ktor.client.DownloadRequest
import dev.ratelimit.ktor.client.DownloadedFile
import dev.ratelimit.ktor.client.http.RetryAfter
import io.ktor.client.HttpClient
import io.ktor.client.statement.HttpResponse
import io.ktor.client.statement.bodyAsChannel
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpStatusCode
import io.ktor.http.contentLength
import io.ktor.utils.io.readAvailable
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext

/** One download, from claiming its part to giving the complete file its name. */
internal class Transfer(
    private val client: HttpClient,
    private val request: DownloadRequest,
    mostRetries: Int,
    private val listener: (DownloadEvent) -> Unit,
    private val io: CoroutineDispatcher = Dispatchers.IO,
) {
    private val retries = Retries(mostRetries) { number, pause, reason -> tell(DownloadEvent.Retry(request, number, pause, reason)) }
    private val questions = Questions(client, request, retries.takeIf { mostRetries > 0 })

    /** What the listener threw; that is not this download's failure. */
    private var thrown: Throwable? = null
    private var resumedFrom = 0L

    suspend fun run(): DownloadedFile {
        var part: Part? = null
        try {
            // Not as the result: that is lost when the caller is cancelled on the way back.
            val held = withContext(io) { Part.claim(request).also { part = it } }
            fetch(held)
            return withContext(io) {
                verify(held)
                val size = held.size
                DownloadedFile(held.place(), size, resumedFrom, retries.used)
            }
        } catch (e: DownloadException) {
            throw e.after(part, retries.used)
        } finally {
            part?.close()
        }
    }

    @Suppress("TooGenericExceptionCaught")
    private suspend fun fetch(part: Part) {
        while (true) {
            try {
                if (questions.ask(part) { receive(part, it) }) return
            } catch (e: Exception) {
                currentCoroutineContext().ensureActive()
                thrown?.let { throw it }
                val failure = Causes.explained(request, e)
                delay(retries.after(failure) ?: throw failure)
            }
        }
    }

    /** Whether the file is complete; otherwise it is to be asked for what is missing by now. */
    private suspend fun receive(
        part: Part,
        response: HttpResponse,
    ): Boolean =
        when (response.status) {
            HttpStatusCode.PartialContent -> receiveRest(part, response)
            HttpStatusCode.OK, HttpStatusCode.NonAuthoritativeInformation -> receiveWhole(part, response)
            HttpStatusCode.RequestedRangeNotSatisfiable -> isAllThere(part, response)
            else -> refuse(response)
        }

    private suspend fun receiveWhole(
        part: Part,
        response: HttpResponse,
    ): Boolean {
        checkCoding(response)
        resumedFrom = 0
        val length = response.contentLength()
        withContext(io) { part.restart(Validator.of(response.headers), length) }
        copy(part, response, length, length)
        return true
    }

    private suspend fun receiveRest(
        part: Part,
        response: HttpResponse,
    ): Boolean {
        val note = part.resumable ?: throw failure(DownloadFailure.PROTOCOL, "a part of the file came, but all of it was asked for")
        val range = ContentRange.parse(response.headers[HttpHeaders.ContentRange])
        val first = range?.first
        val last = range?.last
        val isOther = range?.size != null && note.size >= 0 && range.size != note.size
        if (first == null || last == null || first != part.size || isOther || Validator.contradicts(response.headers, note.validator)) {
            // Not the rest of what is here. All of it, then.
            withContext(io) { part.restart() }
            return false
        }
        checkCoding(response)
        resumedFrom = part.size
        copy(part, response, last - first + 1, range.size)
        return range.size == null || part.size == range.size
    }

    /** A server that has nothing after the bytes that are here says how many it has. */
    private suspend fun isAllThere(
        part: Part,
        response: HttpResponse,
    ): Boolean {
        val note = part.resumable ?: refuse(response)
        val size = ContentRange.parse(response.headers[HttpHeaders.ContentRange])?.size
        if (size == part.size && (note.size < 0 || note.size == size)) {
            resumedFrom = size
            tell(DownloadEvent.Progress(request, size, size, size))
            return true
        }
        withContext(io) { part.restart() }
        return false
    }

    private fun refuse(response: HttpResponse): Nothing {
        val wait = RetryAfter.of(response.headers)?.let { "; it wants to be asked again in $it" }.orEmpty()
        throw DownloadException(DownloadFailure.REFUSED, request, "${response.status}$wait", status = response.status.value)
    }

    /** Lengths and ranges are of what the server sends, so that must be the file itself. */
    private fun checkCoding(response: HttpResponse) {
        val coding = response.headers[HttpHeaders.ContentEncoding]?.trim().orEmpty()
        if (coding.isEmpty() || coding.equals("identity", ignoreCase = true)) return
        // Servers that take the gzip in report.tar.gz for a coding of the answer mean the file all the same.
        val isFile = coding.removePrefix("x-").equals("gzip", ignoreCase = true) && GZIPPED.any { request.address.encodedPath.endsWith(it) }
        if (!isFile) throw failure(DownloadFailure.PROTOCOL, "the answer is compressed ($coding), though that was not allowed")
    }

    private suspend fun copy(
        part: Part,
        response: HttpResponse,
        announced: Long?,
        size: Long?,
    ) = withContext(io) {
        var count = 0L
        Pace({ part.size }) { tell(DownloadEvent.Progress(request, it, size, resumedFrom)) }.during {
            val body = response.bodyAsChannel()
            val bytes = ByteArray(CHUNK)
            while (true) {
                val next = body.readAvailable(bytes)
                if (next < 0) break
                count += next
                if (announced != null && count > announced) {
                    part.restart()
                    throw failure(DownloadFailure.TOO_LONG, "more came than the $announced bytes that were announced")
                }
                part.write(bytes, next)
            }
            // -1 is also what a channel says that was closed because something broke, unless it was being waited for just then.
            body.closedCause?.let { throw it }
        }
        if (announced != null && count < announced) {
            throw failure(DownloadFailure.TOO_SHORT, "the answer ended ${announced - count} bytes too early, after $count of $announced")
        }
    }

    private fun verify(part: Part) {
        val expected = request.digest ?: return
        val digest = expected.start()
        part.readAll { bytes, count -> digest.update(bytes, 0, count) }
        val actual = digest.digest()
        if (expected.matches(actual)) return
        part.restart()
        throw failure(DownloadFailure.DIGEST, "its ${expected.algorithm} is ${hex(actual)}, not ${expected.text}; it was thrown away")
    }

    @Suppress("TooGenericExceptionCaught")
    private fun tell(event: DownloadEvent) {
        try {
            listener(event)
        } catch (e: Throwable) {
            thrown = e
            throw e
        }
    }

    private fun failure(
        failure: DownloadFailure,
        reason: String,
    ) = DownloadException(failure, request, reason)

    private companion object {
        const val CHUNK = 64 * 1024
        val GZIPPED = listOf(".gz", ".tgz", ".svgz")
    }
}

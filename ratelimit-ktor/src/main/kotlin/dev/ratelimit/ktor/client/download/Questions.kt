package dev.ratelimit.ktor.client.download

import dev.ratelimit.ktor.client.DownloadRequest
import io.ktor.client.HttpClient
import io.ktor.client.plugins.HttpTimeoutConfig
import io.ktor.client.plugins.expectSuccess
import io.ktor.client.plugins.retry
import io.ktor.client.plugins.timeout
import io.ktor.client.request.HttpRequestBuilder
import io.ktor.client.request.basicAuth
import io.ktor.client.request.header
import io.ktor.client.request.prepareGet
import io.ktor.client.statement.HttpResponse
import io.ktor.http.HttpHeaders
import io.ktor.http.URLBuilder

/** What is asked of the server: all of the file, or what is missing of it. */
internal class Questions(
    private val client: HttpClient,
    private val request: DownloadRequest,
    private val retries: Retries?,
) {
    /** Without the password, so that nobody's log or error shows it. */
    private val url =
        URLBuilder(request.address)
            .apply {
                user = null
                password = null
                fragment = ""
            }.build()

    suspend fun <T> ask(
        part: Part,
        answer: suspend (HttpResponse) -> T,
    ): T = client.prepareGet(url) { compose(part) }.execute(answer)

    private fun HttpRequestBuilder.compose(part: Part) {
        expectSuccess = false
        // How long a file takes is no measure of anything; that nothing comes is for the socket's timeout.
        timeout { requestTimeoutMillis = HttpTimeoutConfig.INFINITE_TIMEOUT_MS }
        retries?.let { own -> retry { own.govern(this) { Causes.explained(request, it).reason } } }
        request.address.user?.let { basicAuth(it, request.address.password.orEmpty()) }
        request.headers.forEach { (name, value) ->
            headers.remove(name)
            header(name, value)
        }
        header(HttpHeaders.AcceptEncoding, "identity")
        part.resumable?.let {
            header(HttpHeaders.Range, "bytes=${part.size}-")
            header(HttpHeaders.IfRange, it.validator)
        }
    }
}

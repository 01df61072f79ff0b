package dev.ratelimit.ktor.client.download

import dev.ratelimit.RateLimitExceededException
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.ktor.client.DownloadException
import dev.ratelimit.ktor.client.DownloadFailure
import dev.ratelimit.ktor.client.DownloadRequest
import io.ktor.client.network.sockets.ConnectTimeoutException
import io.ktor.client.plugins.HttpRequestTimeoutException
import java.io.IOException
import java.net.ConnectException
import java.net.SocketTimeoutException
import java.net.UnknownHostException
import java.nio.channels.UnresolvedAddressException
import java.security.GeneralSecurityException
import javax.net.ssl.SSLException
import kotlin.coroutines.cancellation.CancellationException

/** What went wrong on the way, in the words of a [DownloadException]. */
internal object Causes {
    private const val DEEPEST = 20

    fun explained(
        request: DownloadRequest,
        thrown: Throwable,
    ): DownloadException {
        val cause = real(thrown)
        if (cause is DownloadException) return cause
        val failure =
            when (cause) {
                is RateLimitExceededException, is RateLimitStoreException -> DownloadFailure.LIMIT
                else -> DownloadFailure.NETWORK
            }
        return DownloadException(failure, request, why(cause), thrown)
    }

    /**
     * Whether the same request may fare better in a while. A host that does not exist, a port that nobody listens to and a certificate that
     * is not trusted are no better then.
     */
    fun isTransient(thrown: Throwable): Boolean =
        when (val cause = real(thrown)) {
            is DownloadException ->
                when (cause.failure) {
                    DownloadFailure.NETWORK -> cause.cause?.let(::isTransient) == true
                    else -> cause.failure == DownloadFailure.TOO_SHORT
                }
            is ConnectTimeoutException -> true
            is ConnectException, is UnknownHostException, is SSLException -> false
            is IOException -> true
            // CIO's own, which is no IOException: all its attempts to connect timed out.
            else -> cause.javaClass.simpleName == "FailToConnectException"
        }

    /** A broken connection cancels what reads from it; why stands behind that. */
    private fun real(thrown: Throwable): Throwable =
        generateSequence(thrown) { it.cause }.take(DEEPEST).firstOrNull { it !is CancellationException } ?: thrown

    private fun why(cause: Throwable): String =
        when (cause) {
            is ConnectTimeoutException -> "no connection in time"
            is SocketTimeoutException -> "nothing more came in time"
            is HttpRequestTimeoutException -> "the request's time was up"
            is UnresolvedAddressException, is UnknownHostException -> "there is no such host"
            is SSLException, is GeneralSecurityException -> "no secure connection: ${said(cause)}"
            is CancellationException -> "ended by the client: ${said(cause)}"
            else -> said(cause)
        }

    private fun said(cause: Throwable) = redacted(cause.message ?: cause.javaClass.simpleName)
}

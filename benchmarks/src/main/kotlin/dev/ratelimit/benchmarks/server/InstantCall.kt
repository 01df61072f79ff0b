package dev.ratelimit.benchmarks.server

import io.ktor.http.Headers
import io.ktor.http.HttpMethod
import io.ktor.http.HttpStatusCode
import io.ktor.http.Parameters
import io.ktor.http.RequestConnectionPoint
import io.ktor.http.content.OutgoingContent
import io.ktor.server.application.Application
import io.ktor.server.application.PipelineCall
import io.ktor.server.engine.BaseApplicationCall
import io.ktor.server.engine.BaseApplicationRequest
import io.ktor.server.engine.BaseApplicationResponse
import io.ktor.server.request.RequestCookies
import io.ktor.server.response.ResponseHeaders
import io.ktor.utils.io.ByteChannel
import io.ktor.utils.io.ByteReadChannel
import io.ktor.utils.io.ByteWriteChannel
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext

/** A GET of [path] from [address]. */
internal class InstantCall(
    application: Application,
    path: String,
    address: String,
) : BaseApplicationCall(application) {
    var status = 0

    override val coroutineContext: CoroutineContext get() = EmptyCoroutineContext
    override val request: BaseApplicationRequest = Request(this, Point(path, address))
    override val response: BaseApplicationResponse = Response(this)

    init {
        putResponseAttribute()
    }

    private class Request(
        call: PipelineCall,
        override val local: RequestConnectionPoint,
    ) : BaseApplicationRequest(call) {
        override val queryParameters: Parameters get() = Parameters.Empty
        override val rawQueryParameters: Parameters get() = Parameters.Empty
        override val cookies: RequestCookies by lazy(LazyThreadSafetyMode.NONE) { RequestCookies(this) }
        override val engineHeaders: Headers get() = Headers.Empty
        override val engineReceiveChannel: ByteReadChannel get() = ByteReadChannel.Empty
    }

    private class Response(
        private val own: InstantCall,
    ) : BaseApplicationResponse(own) {
        override val headers: ResponseHeaders =
            object : ResponseHeaders() {
                private val values = ArrayList<Pair<String, String>>()

                override fun engineAppendHeader(
                    name: String,
                    value: String,
                ) {
                    values += name to value
                }

                override fun getEngineHeaderNames(): List<String> = values.map { it.first }

                override fun getEngineHeaderValues(name: String): List<String> =
                    values.filter { it.first.equals(name, ignoreCase = true) }.map { it.second }
            }

        override fun setStatus(statusCode: HttpStatusCode) {
            own.status = statusCode.value
        }

        override suspend fun respondFromBytes(bytes: ByteArray) = Unit

        override suspend fun respondUpgrade(upgrade: OutgoingContent.ProtocolUpgrade) = Unit

        override suspend fun responseChannel(): ByteWriteChannel = ByteChannel()
    }

    private class Point(
        override val uri: String,
        override val remoteAddress: String,
    ) : RequestConnectionPoint {
        override val scheme get() = "http"
        override val version get() = "HTTP/1.1"
        override val method get() = HttpMethod.Get

        @Deprecated("Use localPort or serverPort instead")
        override val port get() = PORT

        @Deprecated("Use localHost or serverHost instead")
        override val host get() = HOST
        override val localPort get() = PORT
        override val serverPort get() = PORT
        override val localHost get() = HOST
        override val serverHost get() = HOST
        override val localAddress get() = HOST
        override val remoteHost get() = remoteAddress
        override val remotePort get() = PORT
    }

    private companion object {
        const val PORT = 80
        const val HOST = "localhost"
    }
}

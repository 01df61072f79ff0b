package dev.ratelimit.benchmarks.client

import io.ktor.client.engine.HttpClientEngineBase
import io.ktor.client.engine.HttpClientEngineConfig
import io.ktor.client.request.HttpRequestData
import io.ktor.client.request.HttpResponseData
import io.ktor.http.Headers
import io.ktor.http.HttpProtocolVersion
import io.ktor.http.HttpStatusCode
import io.ktor.util.date.GMTDate
import io.ktor.utils.io.ByteReadChannel
import io.ktor.utils.io.InternalAPI
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job

/** Answers at once and keeps nothing, unlike Ktor's engine for tests, which keeps all that it was asked. */
internal class InstantEngine : HttpClientEngineBase("instant") {
    override val config = HttpClientEngineConfig()
    override val dispatcher: CoroutineDispatcher get() = Dispatchers.Unconfined
    private val date = GMTDate()

    @InternalAPI
    override suspend fun execute(data: HttpRequestData): HttpResponseData {
        return HttpResponseData(
            HttpStatusCode.OK,
            date,
            Headers.Empty,
            HttpProtocolVersion.HTTP_1_1,
            ByteReadChannel.Empty,
            coroutineContext + Job(data.executionContext),
        )
    }
}

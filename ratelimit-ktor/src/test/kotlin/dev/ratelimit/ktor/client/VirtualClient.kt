package dev.ratelimit.ktor.client

import dev.ratelimit.NanoClock
import dev.ratelimit.jvm.MemoryStore
import io.ktor.client.HttpClient
import io.ktor.client.HttpClientConfig
import io.ktor.client.engine.mock.MockEngine
import io.ktor.client.engine.mock.MockEngineConfig
import io.ktor.client.engine.mock.MockRequestHandleScope
import io.ktor.client.engine.mock.respondOk
import io.ktor.client.request.HttpRequestData
import io.ktor.client.request.HttpResponseData
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runTest

/** A request as the wire saw it, at the virtual time in milliseconds. */
internal data class Seen(
    val at: Long,
    val host: String,
)

/** A client, its limiter and its engine, all in the virtual time of one test. */
internal class VirtualClient(
    private val scope: TestScope,
) {
    val seen = mutableListOf<Seen>()
    val store = MemoryStore(NanoClock { scope.currentTime * 1_000_000 })
    var answer: suspend MockRequestHandleScope.(HttpRequestData) -> HttpResponseData = { respondOk() }

    private val engine =
        MockEngine(
            MockEngineConfig().apply {
                dispatcher = StandardTestDispatcher(scope.testScheduler)
                addHandler { request ->
                    seen += Seen(scope.currentTime, request.url.host)
                    answer(request)
                }
            },
        )

    fun client(configure: HttpClientConfig<*>.() -> Unit) = HttpClient(engine, configure)

    /** A client with nothing but the limiter. */
    fun limited(configure: HttpRequestRateLimitConfig.() -> Unit) = client { limit(configure) }

    fun HttpClientConfig<*>.limit(configure: HttpRequestRateLimitConfig.() -> Unit) =
        install(HttpRequestRateLimit) {
            store = this@VirtualClient.store
            configure()
        }
}

/** Runs [test] in virtual time. */
internal fun virtually(test: suspend VirtualClient.(TestScope) -> Unit) = runTest { VirtualClient(this).test(this) }

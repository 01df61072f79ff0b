package dev.ratelimit.samples.demo

import io.ktor.http.ContentType
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpStatusCode
import io.ktor.server.cio.CIO
import io.ktor.server.engine.embeddedServer
import io.ktor.server.response.header
import io.ktor.server.response.respond
import io.ktor.server.response.respondBytes
import io.ktor.server.routing.RoutingCall
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import kotlin.time.Duration.Companion.seconds

/** A server on 127.0.0.1 that hands out [files], as `/name` or `/sender/name`, and 429 Too Many Requests when its [judge] says so. */
internal class DemoServer private constructor(
    private val files: DemoFiles,
    private val judge: RequestJudge,
) {
    private val server =
        embeddedServer(CIO, port = 0, host = HOST) {
            routing {
                get("/{name}") { answer(call) }
                get("/{from}/{name}") { answer(call) }
            }
        }

    private suspend fun answer(call: RoutingCall) {
        val stayAway = judge.judge(call.parameters["from"].orEmpty())
        val file = files.find(call.parameters["name"].orEmpty())
        when {
            stayAway != null -> {
                // Whole seconds, rounded up: never "0".
                call.response.header(HttpHeaders.RetryAfter, (stayAway + 1.seconds).inWholeSeconds)
                call.respond(HttpStatusCode.TooManyRequests)
            }
            file == null -> call.respond(HttpStatusCode.NotFound)
            else -> call.respondBytes(file, ContentType.Application.OctetStream)
        }
    }

    companion object {
        const val HOST = "127.0.0.1"

        /** Starts a server on a free port, hands its address to [block], and stops it. */
        suspend fun <T> use(files: DemoFiles, judge: RequestJudge, block: suspend (String) -> T): T {
            val server = DemoServer(files, judge).server
            server.startSuspend(wait = false)
            try {
                return block("http://$HOST:${server.engine.resolvedConnectors().first().port}")
            } finally {
                server.stopSuspend(gracePeriodMillis = 0, timeoutMillis = 0)
            }
        }
    }
}

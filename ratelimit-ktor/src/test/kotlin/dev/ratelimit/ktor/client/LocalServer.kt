package dev.ratelimit.ktor.client

import io.ktor.server.application.Application
import io.ktor.server.cio.CIO
import io.ktor.server.engine.embeddedServer

/** A real server on a free port of 127.0.0.1, for as long as [test] runs. */
internal suspend fun serve(
    application: Application.() -> Unit,
    test: suspend (port: Int) -> Unit,
) {
    val server = embeddedServer(CIO, port = 0, host = "127.0.0.1", module = application).start()
    try {
        test(server.engine.resolvedConnectors().first().port)
    } finally {
        server.stop(0, 0)
    }
}

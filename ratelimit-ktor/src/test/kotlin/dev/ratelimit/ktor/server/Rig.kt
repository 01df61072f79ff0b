package dev.ratelimit.ktor.server

import dev.ratelimit.NanoClock
import dev.ratelimit.jvm.MemoryStore
import io.ktor.server.application.Application
import io.ktor.server.application.install
import io.ktor.server.application.serverConfig
import io.ktor.server.cio.CIO
import io.ktor.server.engine.ApplicationEngine
import io.ktor.server.engine.ApplicationEngineFactory
import io.ktor.server.engine.connector
import io.ktor.server.engine.embeddedServer
import io.ktor.server.netty.Netty
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.routing
import java.net.InetAddress
import java.net.Socket
import java.util.concurrent.Callable
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration

/** An answer as it stood on the wire; the names of headers in lower case. */
internal class Answer(
    val status: Int,
    private val headers: List<Pair<String, String>>,
    val body: String,
) {
    operator fun get(name: String): String? = headers.firstOrNull { it.first == name.lowercase() }?.second

    fun all(name: String) = headers.filter { it.first == name.lowercase() }.map { it.second }
}

/** A real server, its clock, and a client that sends whatever it is told to, byte by byte. */
internal class Rig(
    val port: Int,
    val application: Application,
    private val clock: AtomicLong,
) {
    fun get(
        path: String = "/",
        vararg headers: Pair<String, String>,
    ) = send("GET", path, *headers)

    fun post(
        path: String,
        vararg headers: Pair<String, String>,
    ) = send("POST", path, *headers)

    fun send(
        method: String,
        path: String,
        vararg headers: Pair<String, String>,
    ): Answer =
        Socket(InetAddress.getLoopbackAddress(), port).use { socket ->
            socket.soTimeout = TIMEOUT
            val all = listOf("Host" to "localhost", "Connection" to "close", "Content-Length" to "0") + headers
            val head = listOf("$method $path HTTP/1.1") + all.map { "${it.first}: ${it.second}" }
            socket.getOutputStream().write((head.joinToString("\r\n") + "\r\n\r\n").toByteArray(Charsets.ISO_8859_1))
            parse(socket.getInputStream().readAllBytes().toString(Charsets.UTF_8))
        }

    private fun parse(text: String): Answer {
        val lines = text.substringBefore("\r\n\r\n").split("\r\n")
        val headers = lines.drop(1).map { it.substringBefore(':').lowercase() to it.substringAfter(':').trim() }
        return Answer(lines[0].split(' ')[1].toInt(), headers, text.substringAfter("\r\n\r\n"))
    }

    fun later(time: Duration) {
        clock.addAndGet(time.inWholeNanoseconds)
    }

    private companion object {
        const val TIMEOUT = 20_000
    }
}

internal val engines: List<ApplicationEngineFactory<*, *>> = listOf(CIO, Netty)

/** Every path is answered, with "ok". */
internal val anything: Application.() -> Unit = {
    routing {
        get("{...}") { call.respondText("ok") }
        post("{...}") { call.respondText("ok") }
    }
}

/**
 * A server with these limits in memory, whose time stands still, for as long as [test] runs.
 *
 * @param limitsLast whether other plugins and routes are there before
 */
internal suspend fun limited(
    configure: RateLimitingConfig.() -> Unit,
    module: Application.() -> Unit = anything,
    engine: ApplicationEngineFactory<*, *> = CIO,
    rootPath: String = "",
    limitsLast: Boolean = false,
    test: suspend Rig.() -> Unit,
) {
    val clock = AtomicLong()
    val limits: Application.() -> Unit = {
        install(RateLimiting) {
            store = MemoryStore(NanoClock { clock.get() })
            configure()
        }
    }
    val content: Application.() -> Unit = {
        if (!limitsLast) limits()
        module()
        if (limitsLast) limits()
    }
    val application =
        serverConfig {
            this.rootPath = rootPath
            module(content)
        }
    val connectors: ApplicationEngine.Configuration.() -> Unit = {
        connector {
            port = 0
            host = "127.0.0.1"
        }
    }
    val server = embeddedServer(engine, application, connectors).start()
    try {
        val port = server.engine.resolvedConnectors().first().port
        Rig(port, server.application, clock).test()
    } finally {
        server.stop(0, 0)
    }
}

/** What [action] gives each of [times] times, 16 at a time, on threads of their own: those of coroutines belong to the server. */
internal fun <T> atOnce(
    times: Int,
    action: (Int) -> T,
): List<T> {
    val threads = Executors.newFixedThreadPool(THREADS)
    try {
        return List(times) { i -> threads.submit(Callable { action(i) }) }.map { it.get() }
    } finally {
        threads.shutdown()
    }
}

private const val THREADS = 16

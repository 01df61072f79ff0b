package dev.ratelimit.ktor.server.admin

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldStartWith
import io.ktor.server.cio.CIO
import io.ktor.server.engine.embeddedServer
import io.ktor.server.netty.Netty
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonObject
import java.io.BufferedReader
import java.io.IOException
import java.net.Socket
import kotlin.time.Duration.Companion.seconds

/** A reader of a stream, on a connection of its own. */
private class Reader(
    port: Int,
    path: String,
    accept: String? = null,
) : AutoCloseable {
    private val socket = Socket("127.0.0.1", port).apply { soTimeout = 30_000 }
    private val lines: BufferedReader = socket.getInputStream().bufferedReader()
    val head: List<String>

    init {
        val request = "GET $path HTTP/1.1\r\nHost: 127.0.0.1:$port\r\n${accept?.let { "Accept: $it\r\n" }.orEmpty()}\r\n"
        socket.getOutputStream().write(request.toByteArray())
        head = generateSequence { lines.readLine()?.ifEmpty { null } }.toList()
    }

    val status get() = head[0].split(' ')[1].toInt()

    fun header(name: String) = head.firstOrNull { it.startsWith("$name:", ignoreCase = true) }?.substringAfter(": ")

    /** The next line that starts so, among the lengths of the chunks. */
    fun next(start: String): String? = generateSequence { lines.readLine() }.firstOrNull { it.startsWith(start) }

    fun event(): JsonObject = Json.parseToJsonElement(checkNotNull(next("data: ")).removePrefix("data: ")).jsonObject

    override fun close() = socket.close()
}

class LiveCountsTest :
    FunSpec({
        val stream = "/rate-limits/metrics/real-time/stream"

        for (engine in listOf(CIO, Netty)) {
            val name = engine.javaClass.simpleName

            test(
                "the stream opens with a comment, tells all counts and then what has changed, and ends when its reader leaves, on $name",
            ) {
                withAdmin(engine = engine) {
                    Reader(port, stream).use { reader ->
                        reader.status shouldBe 200
                        reader.header("Content-Type").orEmpty() shouldStartWith "text/event-stream"
                        reader.header("Cache-Control") shouldBe "no-store"
                        reader.next(":") shouldBe ": counts of this instance since it started"
                        reader.next("retry:") shouldBe "retry: 2000"
                        val first = reader.event()
                        first.getValue("rules").jsonObject.keys shouldBe setOf("/api/*", "POST:/auth/*")
                        val second = reader.event()
                        second.getValue("rules").jsonObject.keys shouldBe setOf("/api/*")
                        second["instance"] shouldBe first["instance"]
                        second.getValue("all").jsonObject.getValue("allowed").toString() shouldBe "20"
                        routes.streams shouldBe 1
                    }
                    eventually(30.seconds) { routes.streams shouldBe 0 }
                }
            }
        }

        test("who accepts event streams gets one from the route of the counts too") {
            withAdmin {
                Reader(port, "/rate-limits/metrics/real-time", "text/event-stream").use {
                    it.header("Content-Type").orEmpty() shouldStartWith "text/event-stream"
                    it.event().keys.toList() shouldContainExactly listOf("instance", "at", "all", "rules")
                }
            }
        }

        test("there are no more streams at once than maxStreams; who comes later is told to ask, until one leaves") {
            withAdmin(configure = {
                authorize { true }
                maxStreams = 2
            }) {
                val stays = Reader(port, stream).also { it.event() }
                val leaves = Reader(port, stream).also { it.event() }
                val refused = get("/metrics/real-time/stream")
                refused.status shouldBe 503
                refused["Retry-After"] shouldBe "30"
                refused.detail shouldContain "there are 2 streams, and no more at once"
                get("/metrics/real-time").status shouldBe 200
                leaves.close()
                eventually(30.seconds) { Reader(port, stream).use { it.status shouldBe 200 } }
                stays.event()
                stays.close()
            }
        }

        test("a stream ends by itself after its time, so that its reader is asked anew whether it may") {
            val live = LiveCounts(FakeControl(), maxStreams = 1, events = 2)
            val server = embeddedServer(CIO, port = 0, host = "127.0.0.1") { routing { get("/") { live.stream(call) } } }.start()
            try {
                Reader(server.engine.resolvedConnectors().first().port, "/").use {
                    it.event()
                    it.event()
                    // The chunk that ends a body.
                    it.next("0") shouldBe "0"
                }
                eventually(30.seconds) { live.streams shouldBe 0 }
            } finally {
                server.stop(0, 0)
            }
        }

        test("an open stream does not keep the server from stopping") {
            lateinit var reader: Reader
            withAdmin { reader = Reader(port, stream).also { it.event() } }
            withContext(Dispatchers.IO) {
                // The connection ends, one way or the other.
                try {
                    reader.next("never") shouldBe null
                } catch (e: IOException) {
                    e.message.orEmpty() shouldContain "reset"
                }
            }
        }
    })

package dev.ratelimit.ktor.client

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.ktor.client.HttpClient
import io.ktor.client.HttpClientConfig
import io.ktor.client.engine.cio.CIOEngineConfig
import io.ktor.client.plugins.websocket.WebSockets
import io.ktor.client.plugins.websocket.webSocket
import io.ktor.client.request.get
import io.ktor.client.request.post
import io.ktor.client.request.prepareGet
import io.ktor.client.request.setBody
import io.ktor.client.statement.bodyAsBytes
import io.ktor.client.statement.bodyAsChannel
import io.ktor.client.statement.bodyAsText
import io.ktor.http.HttpHeaders
import io.ktor.http.contentLength
import io.ktor.server.application.Application
import io.ktor.server.application.install
import io.ktor.server.cio.CIO
import io.ktor.server.engine.embeddedServer
import io.ktor.server.request.receive
import io.ktor.server.response.respondBytes
import io.ktor.server.response.respondBytesWriter
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.routing
import io.ktor.server.websocket.webSocket
import io.ktor.utils.io.ByteReadChannel
import io.ktor.utils.io.readFully
import io.ktor.utils.io.toByteArray
import io.ktor.utils.io.writeFully
import io.ktor.websocket.Frame
import io.ktor.websocket.readText
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import io.ktor.client.engine.cio.CIO as ClientCIO
import io.ktor.server.websocket.WebSockets as ServerWebSockets

private val page = randomBytes(1 shl 20)

/** A real server and a real client. Rates are far above or far below what a test could notice: no test here is about time. */
class BandwidthLoopbackTest :
    FunSpec({
        suspend fun serve(
            application: Application.() -> Unit,
            configure: HttpClientConfig<CIOEngineConfig>.() -> Unit,
            test: suspend (HttpClient, String) -> Unit,
        ) {
            val server = embeddedServer(CIO, port = 0, host = "127.0.0.1", module = application).start()
            try {
                val port = server.engine.resolvedConnectors().first().port
                HttpClient(ClientCIO, configure).use { test(it, "127.0.0.1:$port") }
            } finally {
                server.stop(0, 0)
            }
        }

        fun HttpClientConfig<*>.fast() =
            install(HttpRequestRateLimit) {
                bandwidth {
                    download {
                        total(100.gibibytesPerSecond)
                        perHost(100.gibibytesPerSecond)
                        perCall(100.gibibytesPerSecond)
                    }
                    upload { total(100.gibibytesPerSecond) }
                }
            }

        fun HttpClientConfig<*>.slow() = install(HttpRequestRateLimit) { bandwidth { download { perCall(bytes(1, burst = 100_000)) } } }

        test("bodies arrive whole, saved and streamed, many at once, with and without a length") {
            serve(
                {
                    routing {
                        get("/fixed") { call.respondBytes(page) }
                        get("/chunked") { call.respondBytesWriter { writeFully(page) } }
                    }
                },
                { fast() },
            ) { client, host ->
                coroutineScope {
                    List(4) {
                        async(Dispatchers.Default) { client.get("http://$host/${if (it % 2 == 0) "fixed" else "chunked"}").bodyAsBytes() }
                    }
                        .awaitAll()
                        .forEach { it.contentEquals(page) shouldBe true }
                }
                client.prepareGet("http://$host/fixed").execute {
                    it.contentLength() shouldBe page.size
                    it.bodyAsChannel().toByteArray().contentEquals(page) shouldBe true
                }
                client.prepareGet("http://$host/chunked").execute {
                    it.contentLength() shouldBe null
                    it.bodyAsChannel().toByteArray().contentEquals(page) shouldBe true
                }
            }
        }

        test("bodies leave whole, with the length or the chunks that they would have without the limit") {
            serve(
                {
                    routing {
                        post("/") {
                            val received = call.receive<ByteArray>()
                            val headers = call.request.headers
                            call.respondText(
                                "${received.contentEquals(
                                    page,
                                )} ${headers[HttpHeaders.ContentLength]} ${headers[HttpHeaders.TransferEncoding]}",
                            )
                        }
                    }
                },
                { fast() },
            ) { client, host ->
                suspend fun sent(body: Any) = client.post("http://$host/") { setBody(body) }.bodyAsText()
                sent(page) shouldBe "true ${page.size} null"
                sent(ByteReadChannel(page)) shouldBe "true null chunked"
                sent(Read({ ByteReadChannel(page) }, page.size.toLong())) shouldBe "true ${page.size} null"
                sent(Wrapped(Read({ ByteReadChannel(page) }))) shouldBe "true null chunked"
                sent(Written(page.size.toLong()) { it.writeFully(page) }) shouldBe "true ${page.size} null"
                sent(Written { it.writeFully(page) }) shouldBe "true null chunked"
            }
        }

        test("a download that is cancelled while it waits ends its call") {
            serve(
                { routing { get("/") { call.respondBytesWriter { writeFully(page) } } } },
                { slow() },
            ) { client, host ->
                coroutineScope {
                    val started = CompletableDeferred<Job>()
                    val download =
                        launch(Dispatchers.Default) {
                            client.prepareGet("http://$host/").execute {
                                val channel = it.bodyAsChannel()
                                channel.readFully(ByteArray(75_000))
                                started.complete(it.coroutineContext.job)
                                // The rest of a burst, then a byte a second.
                                channel.readFully(ByteArray(75_000))
                            }
                        }
                    val call = started.await()
                    download.cancel()
                    download.join()
                    call.join()
                }
            }
        }

        test("WebSockets are left alone") {
            serve(
                {
                    install(ServerWebSockets)
                    routing {
                        webSocket("/") { for (frame in incoming) send(Frame.Text((frame as Frame.Text).readText().reversed())) }
                    }
                },
                {
                    install(WebSockets)
                    install(HttpRequestRateLimit) {
                        bandwidth {
                            download { total(bytes(1, burst = 1)) }
                            upload { total(bytes(1, burst = 1)) }
                            count = ByteCount.DECODED
                        }
                    }
                },
            ) { client, host ->
                var echo: String? = null
                client.webSocket("ws://$host/") {
                    send(Frame.Text("abc".repeat(100)))
                    echo = (incoming.receive() as Frame.Text).readText()
                }
                echo.shouldNotBeNull() shouldBe "cba".repeat(100)
            }
        }
    })

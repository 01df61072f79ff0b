package dev.ratelimit.ktor.client.download

import dev.ratelimit.ktor.client.DownloadEvent
import dev.ratelimit.ktor.client.DownloadException
import dev.ratelimit.ktor.client.DownloadFailure
import dev.ratelimit.ktor.client.DownloadRequest
import dev.ratelimit.ktor.client.download
import dev.ratelimit.ktor.client.downloadAsFlow
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldBeSorted
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldStartWith
import io.kotest.matchers.types.shouldBeInstanceOf
import io.ktor.client.HttpClient
import io.ktor.client.engine.cio.CIO
import io.ktor.server.application.Application
import io.ktor.server.engine.embeddedServer
import io.ktor.server.response.header
import io.ktor.server.response.respondBytes
import io.ktor.server.response.respondBytesWriter
import io.ktor.server.response.respondRedirect
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import io.ktor.utils.io.writeFully
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import java.io.File
import java.util.concurrent.CountDownLatch
import kotlin.random.Random
import io.ktor.server.cio.CIO as ServerCIO

private val content = Random(1).nextBytes(3_000_000)
private const val TAG = "\"one\""

private fun Application.site() {
    routing {
        get("/whole.bin") {
            call.response.header("ETag", TAG)
            call.respondBytes(content)
        }
        get("/chunked.bin") { call.respondBytesWriter { writeFully(content) } }
        get("/moved") { call.respondRedirect("/whole.bin") }
    }
}

/** A decent server, and indecent ones, over loopback. */
class WireTest :
    FunSpec({
        val server = embeddedServer(ServerCIO, port = 0, host = "127.0.0.1", module = Application::site)
        var site = ""
        beforeSpec {
            server.startSuspend(wait = false)
            site = "http://127.0.0.1:${server.engine.resolvedConnectors().first().port}"
        }
        afterSpec { server.stopSuspend(0, 0) }

        var count = 0

        fun target() = File(tempdir("wire${count++}"), "file.bin").toPath()

        suspend fun <T> client(action: suspend (HttpClient) -> T): T = withContext(Dispatchers.Default) {
            HttpClient(CIO).use { action(it) }
        }

        test("megabytes arrive as they are: with a length, in chunks, behind a redirect") {
            for (path in listOf("/whole.bin", "/chunked.bin", "/moved")) {
                val target = target()
                client { it.download("$site$path", target) }.bytes shouldBe content.size
                target.toFile().readBytes().contentEquals(content) shouldBe true
                target.parent.toFile().list().orEmpty().asList() shouldBe listOf("file.bin")
            }
        }

        test("a connection that is cut in the middle of chunks is an error too, each time") {
            RawServer { _, out ->
                out.head("200 OK", "Transfer-Encoding: chunked", "ETag: $TAG")
                out.write("5\r\n01234\r\nff\r\nhalf".toByteArray())
            }.use { raw ->
                repeat(50) {
                    val failure = shouldThrow<DownloadException> { client { it.download(raw.url, target()) } }
                    failure.failure shouldBe DownloadFailure.NETWORK
                    // What the client had not yet handed over goes with the connection.
                    "01234half" shouldStartWith failure.partial?.toFile()?.readText().orEmpty()
                }
            }
        }

        test("an answer that is reset, or is no HTTP, is an error that names URL and file") {
            for (bytes in listOf("", "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 200 OK\r\nContent-Le")) {
                RawServer { _, out -> out.write(bytes.toByteArray()) }.use { raw ->
                    val target = target()
                    val failure = shouldThrow<DownloadException> { client { it.download(raw.url, target) } }
                    failure.failure shouldBe DownloadFailure.NETWORK
                    failure.message shouldContain "${raw.url} -> $target: "
                    target.parent.toFile().list().orEmpty().asList().shouldBeEmpty()
                }
            }
        }

        test("a host that does not exist is told as that") {
            val failure = shouldThrow<DownloadException> { client { it.download("http://nowhere.invalid/x", target()) } }
            failure.failure shouldBe DownloadFailure.NETWORK
            failure.reason shouldBe "there is no such host"
        }

        test("cancelling leaves what has come, and the next download goes on from there") {
            val release = CountDownLatch(1)
            RawServer { request, out ->
                if (request["range"] == null) {
                    out.head("200 OK", "Content-Length: ${content.size}", "ETag: $TAG")
                    out.write(content, 0, 1_000_000)
                    out.flush()
                    release.await()
                } else {
                    val from = request["range"]!!.removePrefix("bytes=").removeSuffix("-").toInt()
                    out.head("206 Partial Content", "Content-Range: bytes $from-${content.size - 1}/${content.size}", "ETag: $TAG")
                    out.write(content, from, content.size - from)
                }
            }.use { raw ->
                val target = target()
                val request = DownloadRequest.of(raw.url, target)
                client { client ->
                    coroutineScope {
                        val enough = CompletableDeferred<Unit>()
                        // The first is told before anything has come; another comes a tenth of a second after it.
                        val job = launch {
                            client.download(request) {
                                if ((it as DownloadEvent.Progress).bytes >
                                    0
                                ) {
                                    enough.complete(Unit)
                                }
                            }
                        }
                        enough.await()
                        job.cancelAndJoin()
                    }
                }
                release.countDown()
                val there = Part.partOf(target).toFile().length()
                target.toFile().exists() shouldBe false
                client { it.download(request) }.resumedFrom shouldBe there
                raw.requests.last()["range"] shouldBe "bytes=$there-"
                raw.requests.last()["if-range"] shouldBe TAG
                target.toFile().readBytes().contentEquals(content) shouldBe true
            }
        }

        test("a flow tells how far it is and ends with the file; to stop collecting is to cancel") {
            val target = target()
            client { client ->
                val events = client.downloadAsFlow("$site/whole.bin", target).toList()
                val progress = events.dropLast(1).map { it.shouldBeInstanceOf<DownloadEvent.Progress>() }
                progress.map { it.bytes }.shouldBeSorted()
                progress.last().run { bytes to size } shouldBe (3_000_000L to 3_000_000L)
                events.last().shouldBeInstanceOf<DownloadEvent.Done>().file.path shouldBe target

                val other = target()
                client.downloadAsFlow("$site/whole.bin", other).first()
                other.toFile().exists() shouldBe false
            }
        }
    })

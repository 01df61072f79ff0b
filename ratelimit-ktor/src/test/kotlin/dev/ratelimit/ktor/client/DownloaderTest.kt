package dev.ratelimit.ktor.client

import dev.ratelimit.NanoClock
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.perSecond
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import io.ktor.client.HttpClient
import io.ktor.client.engine.mock.MockEngine
import io.ktor.client.engine.mock.MockEngineConfig
import io.ktor.client.engine.mock.MockRequestHandleScope
import io.ktor.client.engine.mock.respond
import io.ktor.client.plugins.defaultRequest
import io.ktor.client.request.HttpRequestData
import io.ktor.client.request.HttpResponseData
import io.ktor.client.request.header
import io.ktor.http.HeadersBuilder
import io.ktor.http.HttpStatusCode
import io.ktor.http.headers
import io.ktor.http.headersOf
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runTest
import java.io.File
import java.io.IOException
import java.net.ConnectException
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** A downloader, its limiter and its server in the virtual time of one test. */
private class Yard(
    private val scope: TestScope,
    private val dir: File,
) {
    val seen = mutableListOf<Pair<Long, HttpRequestData>>()
    var answer: suspend MockRequestHandleScope.(HttpRequestData) -> HttpResponseData = { respond("content") }
    val engine =
        MockEngine(
            MockEngineConfig().apply {
                dispatcher = StandardTestDispatcher(scope.testScheduler)
                addHandler {
                    seen += scope.currentTime to it
                    answer(it)
                }
            },
        )

    val times get() = seen.map { it.first }

    /** Nothing is learned from answers, so that the pauses are those of the retries alone. */
    fun settings(configure: DownloadSettingsBuilder.() -> Unit = {}) =
        DownloadSettings.builder().rate(1000.perSecond).limits { it.learns = false }.store(
            MemoryStore(
                NanoClock {
                    scope.currentTime * 1_000_000
                },
            ),
        ).apply(configure).build()

    fun downloader(configure: DownloadSettingsBuilder.() -> Unit = {}) = Downloader(settings(configure), engine)

    fun request(name: String) = DownloadRequest.of("http://a.org/$name", dir.toPath().resolve(name))

    fun file(name: String) = File(dir, name)
}

class DownloaderTest :
    FunSpec({
        var count = 0

        fun yard(test: suspend Yard.(TestScope) -> Unit) = runTest { Yard(this, tempdir("yard${count++}")).test(this) }

        test("each file pays, in the order in which it was asked for") {
            yard {
                downloader { rate(1.perSecond).parallelism(1) }.use { downloader ->
                    val ends = downloader.downloadAll(listOf("a", "b", "c").map(::request))
                    ends.map { it.shouldBeInstanceOf<DownloadEvent.Done>().file.path.toFile().name } shouldContainExactly
                        listOf("a", "b", "c")
                }
                seen.map { (at, request) -> at to request.url.encodedPath } shouldContainExactly
                    listOf(0L to "/a", 1000L to "/b", 2000L to "/c")
                file("c").readText() shouldBe "content"
            }
        }

        test("no more files at a time than were allowed, over all calls together") {
            yard { scope ->
                var now = 0
                var most = 0
                answer = {
                    most = maxOf(most, ++now)
                    delay(10)
                    now--
                    respond("content")
                }
                downloader { parallelism(3) }.use { downloader ->
                    val calls = List(2) { call -> scope.async { downloader.downloadAll(List(10) { request("$call-$it") }) } }
                    calls.flatMap { it.await() }.count { it is DownloadEvent.Done } shouldBe 20
                }
                most shouldBe 3
            }
        }

        test("a file that fails ends no other, and each tells how it ended") {
            yard {
                answer = { if (it.url.encodedPath == "/b") respond("", HttpStatusCode.NotFound) else respond("content") }
                downloader().use { downloader ->
                    val events = downloader.downloads(listOf("a", "b", "c").map(::request)).toList()
                    val ends = events.filterIsInstance<DownloadEvent.End>()
                    ends.map { it.request.target.toFile().name }.toSet() shouldBe setOf("a", "b", "c")
                    val failed = ends.filterIsInstance<DownloadEvent.Failed>().single()
                    failed.cause.run { listOf(failure, status, retries) } shouldBe listOf(DownloadFailure.REFUSED, 404, 0)
                    seen.size shouldBe 3
                    downloader.downloadAll(emptyList()) shouldBe emptyList()
                    shouldThrow<DownloadException> { downloader.download(request("b")) }.status shouldBe 404
                }
            }
        }

        test(
            "what the server cannot give now is asked for again after its Retry-After, and what breaks off after a pause, from one budget",
        ) {
            yard {
                val retries = mutableListOf<DownloadEvent.Retry>()
                answer = {
                    when (seen.size) {
                        1 -> respond("", HttpStatusCode.TooManyRequests, headersOf("Retry-After", "7"))
                        2 -> throw IOException("connection reset")
                        3 -> respond("cont", headers = headers { "ETag: \"1\";Content-Length: 7".split(";").forEach { f -> append(f) } })
                        else -> respond("ent", HttpStatusCode.PartialContent, headersOf("Content-Range", "bytes 4-6/7"))
                    }
                }
                val file =
                    downloader { retries(3) }.use { downloader ->
                        downloader.download(request("f")) { if (it is DownloadEvent.Retry) retries += it }
                    }
                listOf(file.bytes, file.resumedFrom, file.retries.toLong()) shouldBe listOf(7L, 4L, 3L)
                file("f").readText() shouldBe "content"
                retries.map { it.number to it.reason } shouldContainExactly
                    listOf(
                        1 to "429 Too Many Requests",
                        2 to "connection reset",
                        3 to "the answer ended 3 bytes too early, after 4 of 7",
                    )
                retries[0].pause shouldBe 7.seconds
                retries[1].pause.inWholeMilliseconds shouldBeInRange 2000L..3000L
                retries[2].pause.inWholeMilliseconds shouldBeInRange 4000L..5000L
                times.zipWithNext { a, b -> (b - a).milliseconds } shouldContainExactly
                    retries.map { it.pause.inWholeMilliseconds.milliseconds }
            }
        }

        test("the budget is for all tries of a file, and what is left of it is told") {
            yard {
                answer = { respond("cont", headers = headersOf("Content-Length", "7")) }
                downloader { retries(2) }.use { downloader ->
                    val failure = shouldThrow<DownloadException> { downloader.download(request("f")) }
                    failure.run { listOf(this.failure, retries) } shouldBe listOf(DownloadFailure.TOO_SHORT, 2)
                }
                seen.size shouldBe 3
                seen.clear()
                answer = { respond("", HttpStatusCode.BadGateway) }
                downloader { retries(2) }.use { downloader ->
                    val failure = shouldThrow<DownloadException> { downloader.download(request("f")) }
                    failure.run { listOf(this.failure, retries, status) } shouldBe listOf(DownloadFailure.REFUSED, 2, 502)
                }
                seen.size shouldBe 3
            }
        }

        test("what will be no better is not asked for again") {
            yard { scope ->
                val hopeless: List<suspend MockRequestHandleScope.() -> HttpResponseData> =
                    listOf(
                        { respond("", HttpStatusCode.Forbidden) },
                        { respond("", HttpStatusCode.NotImplemented) },
                        { respond("", HttpStatusCode.ServiceUnavailable, headersOf("Retry-After", "301")) },
                        { respond("", HttpStatusCode.ServiceUnavailable, headersOf("Retry-After", "1".repeat(30))) },
                        { throw ConnectException("Connection refused") },
                        { respond("long", headers = headersOf("Content-Length", "3")) },
                    )
                downloader().use { downloader ->
                    hopeless.forEachIndexed { index, one ->
                        answer = { one() }
                        withClue("$index") { shouldThrow<DownloadException> { downloader.download(request("f")) }.retries shouldBe 0 }
                    }
                }
                seen.size shouldBe hopeless.size
                scope.currentTime shouldBe 0
            }
        }

        test("a limit that lets nothing through is told as that, and not tried again") {
            yard {
                downloader { limits { it.maxWait = 1.milliseconds }.rate(1.perSecond) }.use { downloader ->
                    downloader.download(request("a"))
                    val failure = shouldThrow<DownloadException> { downloader.download(request("b")) }
                    failure.failure shouldBe DownloadFailure.LIMIT
                    failure.reason shouldContain "rate limit exceeded"
                }
                seen.size shouldBe 1
            }
        }

        test("closing ends what is under way, and a closed downloader says so") {
            yard { scope ->
                val asked = CompletableDeferred<Unit>()
                answer = {
                    asked.complete(Unit)
                    awaitCancellation()
                }
                val downloader = downloader()
                val call = scope.async { runCatching { downloader.download(request("f")) }.exceptionOrNull() }
                asked.await()
                downloader.close()
                call.await().shouldBeInstanceOf<CancellationException>()
                file("f.ratelimit-part").exists() shouldBe false
                shouldThrow<IllegalStateException> { downloader.download(request("f")) }.message shouldBe
                    "the downloader is closed; make another"
            }
        }

        test("what a listener throws ends the call and is thrown, and is no failure of the download") {
            yard {
                downloader().use { downloader ->
                    shouldThrow<ArithmeticException> { downloader.download(request("f")) { throw ArithmeticException("mine") } }
                    shouldThrow<ArithmeticException> { downloader.downloadAll(listOf(request("f"))) { throw ArithmeticException("mine") } }
                    downloader.download(request("f")).bytes shouldBe 7
                }
            }
        }

        test("a client of the user's keeps what is installed on it, and stays open") {
            yard {
                val own = HttpClient(engine) { defaultRequest { header("X-Own", "1") } }
                Downloader(settings { userAgent("me (me@example.com)") }, own).use { it.download(request("a")) }
                own.download(request("b")).bytes shouldBe 7
                seen.map { it.second.headers["X-Own"] } shouldContainExactly listOf("1", "1")
                seen.first().second.headers["User-Agent"] shouldBe "me (me@example.com)"
            }
        }
    })

private fun HeadersBuilder.append(line: String) = append(line.substringBefore(": "), line.substringAfter(": "))

package dev.ratelimit.ktor.client.download

import dev.ratelimit.ktor.client.DownloadException
import dev.ratelimit.ktor.client.DownloadFailure
import dev.ratelimit.ktor.client.DownloadRequestBuilder
import dev.ratelimit.ktor.client.DownloadedFile
import dev.ratelimit.ktor.client.download
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.ktor.client.HttpClient
import io.ktor.client.engine.mock.MockEngine
import io.ktor.client.engine.mock.MockRequestHandleScope
import io.ktor.client.engine.mock.respond
import io.ktor.client.request.HttpRequestData
import io.ktor.client.request.HttpResponseData
import io.ktor.http.HttpStatusCode
import io.ktor.http.headers
import java.io.File
import java.nio.file.Path

private const val TAG = "\"one\""
private const val TEXT = "0123456789"

/** Answers that are written down here, to the requests of one download after another. */
internal class Scripted(
    private val dir: File,
) {
    private val answers = ArrayDeque<MockRequestHandleScope.() -> HttpResponseData>()
    val asked = mutableListOf<HttpRequestData>()
    val target: Path = dir.toPath().resolve("file.txt")
    private val client =
        HttpClient(
            MockEngine {
                asked += it
                answers.removeFirst()(this)
            },
        ) { expectSuccess = true }

    val ranges get() = asked.map { it.headers["Range"] to it.headers["If-Range"] }
    val files get() = dir.listFiles().orEmpty().associate { it.name to it.readText() }

    fun answer(
        status: Int,
        body: String,
        vararg fields: Pair<String, String>,
    ) {
        answers += { respond(body, HttpStatusCode.fromValue(status), headers { fields.forEach { (name, value) -> append(name, value) } }) }
    }

    /** Ten bytes are announced, four come. */
    fun answerFirstFour(vararg fields: Pair<String, String> = arrayOf("ETag" to TAG)) =
        answer(200, TEXT.take(4), "Content-Length" to "10", *fields)

    suspend fun download(
        url: String = "http://a.org/file.txt",
        configure: DownloadRequestBuilder.() -> Unit = {},
    ): DownloadedFile = client.download(url, target, configure)

    suspend fun fails(
        url: String = "http://a.org/file.txt",
        configure: DownloadRequestBuilder.() -> Unit = {},
    ): DownloadException = shouldThrow { download(url, configure) }
}

class DownloadMatrixTest :
    FunSpec({
        var count = 0

        suspend fun scripted(test: suspend Scripted.() -> Unit) = Scripted(tempdir("matrix${count++}")).test()

        test("a file is asked for as it is, arrives, and nothing else is left") {
            scripted {
                answer(200, TEXT, "Content-Length" to "10", "ETag" to TAG)
                download { header("X-Me", "me") }.run { listOf(path, bytes, resumedFrom, retries) } shouldBe listOf(target, 10L, 0L, 0)
                files shouldBe mapOf("file.txt" to TEXT)
                asked.single().headers.run { listOf(get("Accept-Encoding"), get("Range"), get("X-Me")) } shouldBe
                    listOf("identity", null, "me")
            }
        }

        test("what broke off is continued from where it broke, if the validator was strong") {
            scripted {
                answerFirstFour()
                val failure = fails()
                failure.failure shouldBe DownloadFailure.TOO_SHORT
                failure.message shouldContain "http://a.org/file.txt -> $target: the answer ended 6 bytes too early, after 4 of 10"
                failure.partial shouldBe Part.partOf(target)
                files.keys shouldBe setOf("file.txt.ratelimit-part", "file.txt.ratelimit-note")

                answer(206, TEXT.drop(4), "Content-Range" to "bytes 4-9/10", "ETag" to TAG)
                download().run { listOf(bytes, resumedFrom) } shouldBe listOf(10L, 4L)
                ranges.last() shouldBe ("bytes=4-" to TAG)
                files shouldBe mapOf("file.txt" to TEXT)
            }
        }

        test("without a strong validator nothing is kept, and the next download asks for all") {
            for (fields in listOf(
                arrayOf("ETag" to "W/\"one\""),
                arrayOf("Last-Modified" to "Sat, 21 Nov 2026 11:00:00 GMT"),
                emptyArray(),
            )) {
                scripted {
                    answerFirstFour(*fields)
                    fails().partial shouldBe null
                    files shouldBe emptyMap()
                    answer(200, TEXT)
                    download().bytes shouldBe 10
                    ranges.last() shouldBe (null to null)
                }
            }
        }

        test("a Last-Modified that is old enough is a validator") {
            scripted {
                val modified = "Last-Modified" to "Sat, 21 Nov 2026 11:00:00 GMT"
                answerFirstFour(modified, "Date" to "Sat, 21 Nov 2026 12:00:00 GMT")
                fails()
                answer(206, TEXT.drop(4), "Content-Range" to "bytes 4-9/10", modified)
                download().resumedFrom shouldBe 4
                ranges.last() shouldBe ("bytes=4-" to modified.second)
            }
        }

        test("a server that sends all of it, because it changed or because it knows no ranges, starts anew") {
            scripted {
                answerFirstFour()
                fails()
                answer(200, "new", "ETag" to "\"two\"")
                download().run { listOf(bytes, resumedFrom) } shouldBe listOf(3L, 0L)
                files shouldBe mapOf("file.txt" to "new")
            }
        }

        test("a rest that is not the rest of what is here is not appended: all of it is asked for") {
            val strange =
                listOf(
                    arrayOf("Content-Range" to "bytes 5-9/10"),
                    arrayOf("Content-Range" to "bytes 0-9/10"),
                    arrayOf("Content-Range" to "bytes 4-9/11"),
                    arrayOf("Content-Range" to "nonsense"),
                    emptyArray(),
                    arrayOf("Content-Range" to "bytes 4-9/10", "ETag" to "\"two\""),
                )
            for (fields in strange) {
                withClue(fields.asList()) {
                    scripted {
                        answerFirstFour()
                        fails()
                        answer(206, "xxxxxx", *fields)
                        answer(200, TEXT, "ETag" to "\"two\"")
                        download().run { listOf(bytes, resumedFrom) } shouldBe listOf(10L, 0L)
                        files shouldBe mapOf("file.txt" to TEXT)
                        ranges.drop(1) shouldContainExactly listOf("bytes=4-" to TAG, null to null)
                    }
                }
            }
        }

        test("a server may send less than the rest; then it is asked for what is missing") {
            scripted {
                answerFirstFour()
                fails()
                answer(206, "45", "Content-Range" to "bytes 4-5/10")
                answer(206, "6789", "Content-Range" to "bytes 6-9/10")
                download().bytes shouldBe 10
                files shouldBe mapOf("file.txt" to TEXT)
                ranges.last() shouldBe ("bytes=6-" to TAG)
            }
        }

        test("a rest of unknown size is all the rest") {
            scripted {
                answerFirstFour()
                fails()
                answer(206, "456789", "Content-Range" to "bytes 4-9/*")
                download().bytes shouldBe 10
            }
        }

        test("416 from a server that has no more than what is here means that all is here") {
            scripted {
                answer(200, TEXT, "Content-Length" to "10", "ETag" to TAG)
                download()
                // As if the process had been killed just before the end.
                val note = Note(Note.sourceOf(downloadableUrl("http://a.org/file.txt")), TAG, 10)
                target.toFile().renameTo(Part.partOf(target).toFile())
                target.resolveSibling("file.txt.ratelimit-note").toFile().writeText(note.text())
                answer(416, "", "Content-Range" to "bytes */10")
                download().run { listOf(bytes, resumedFrom) } shouldBe listOf(10L, 10L)
                files shouldBe mapOf("file.txt" to TEXT)
            }
        }

        test("416 otherwise means that the part is worth nothing") {
            for (range in listOf("bytes */3", "bytes */11", "bytes */*", "")) {
                scripted {
                    answerFirstFour()
                    fails()
                    answer(416, "", "Content-Range" to range)
                    answer(200, TEXT)
                    download().resumedFrom shouldBe 0
                    files shouldBe mapOf("file.txt" to TEXT)
                }
            }
            scripted {
                answer(416, "")
                fails().run { listOf(failure, status) } shouldBe listOf(DownloadFailure.REFUSED, 416)
                files shouldBe emptyMap()
            }
        }

        test("a part that nobody asked for is no answer") {
            scripted {
                answer(206, "0123", "Content-Range" to "bytes 0-3/10")
                fails().failure shouldBe DownloadFailure.PROTOCOL
                files shouldBe emptyMap()
            }
        }

        test("more than was announced is an error, and nothing of it is kept") {
            scripted {
                answer(200, TEXT, "Content-Length" to "9", "ETag" to TAG)
                val failure = fails()
                failure.failure shouldBe DownloadFailure.TOO_LONG
                failure.message shouldContain "more came than the 9 bytes that were announced"
                files shouldBe emptyMap()
            }
            scripted {
                answerFirstFour()
                fails()
                answer(206, "456789x", "Content-Range" to "bytes 4-9/10")
                fails().failure shouldBe DownloadFailure.TOO_LONG
                files shouldBe emptyMap()
            }
        }

        test("what the server refuses is told with its status, also to clients that expect success, and what was there stays") {
            scripted {
                for (status in listOf(204, 304, 403, 404, 500, 503)) {
                    answer(status, "no")
                    fails().run { listOf(failure, this.status) } shouldBe listOf(DownloadFailure.REFUSED, status)
                    files shouldBe emptyMap()
                }
                answerFirstFour()
                fails()
                answer(503, "", "Retry-After" to "7")
                val failure = fails()
                failure.message shouldContain "503 Service Unavailable; it wants to be asked again in 7s"
                failure.partial shouldBe Part.partOf(target)
            }
        }

        test("an answer that is compressed though that was not allowed is refused, unless the file itself is") {
            scripted {
                answer(200, "zipped", "Content-Encoding" to "gzip")
                val failure = fails()
                failure.failure shouldBe DownloadFailure.PROTOCOL
                failure.message shouldContain "the answer is compressed (gzip), though that was not allowed"
                answer(200, "zipped", "Content-Encoding" to "x-gzip")
                download("http://a.org/file.tar.gz").bytes shouldBe 6
            }
            scripted {
                answer(200, TEXT, "Content-Encoding" to "identity")
                download().bytes shouldBe 10
            }
        }

        test("what is here of another URL, or is not to be resumed, is not continued") {
            scripted {
                answerFirstFour()
                fails()
                answerFirstFour()
                fails("http://b.org/file.txt")
                answer(200, TEXT)
                download("http://b.org/file.txt") { resume(false) }.resumedFrom shouldBe 0
                ranges.map { it.first } shouldContainExactly listOf(null, null, null)
                files shouldBe mapOf("file.txt" to TEXT)
            }
        }

        test("a digest is compared before the file gets its name; a wrong one costs what was there") {
            val right = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"
            scripted {
                answer(200, TEXT, "ETag" to TAG)
                download { digest("SHA-256", right.uppercase()) }.bytes shouldBe 10
            }
            scripted {
                answerFirstFour()
                fails()
                answer(206, "456789", "Content-Range" to "bytes 4-9/10")
                download { digest("SHA-256", right) }.bytes shouldBe 10
            }
            scripted {
                answer(200, "0123456780", "ETag" to TAG)
                val failure = fails { digest("SHA-256", right) }
                failure.failure shouldBe DownloadFailure.DIGEST
                failure.message shouldContain ", not $right; it was thrown away"
                files shouldBe emptyMap()
            }
        }

        test("a user and a password in the URL are sent, and never shown") {
            scripted {
                answer(404, "")
                val failure = fails("http://me:se%20cret@a.org/file.txt?access_token=abc")
                asked.single().headers["Authorization"] shouldBe "Basic bWU6c2UgY3JldA=="
                "${asked.single().url}" shouldNotContain "cret"
                failure.message shouldContain "http://***@a.org/file.txt?access_token=*** -> $target: 404 Not Found"
                failure.request.toString() shouldNotContain "cret"
            }
        }

        test("what cannot be meant is refused, with the value and what to write") {
            suspend fun refused(
                url: String = "http://a.org/f",
                configure: DownloadRequestBuilder.() -> Unit = {},
            ) = Scripted(tempdir("matrix${count++}")).run {
                shouldThrow<IllegalArgumentException> { download(url, configure) }.message.orEmpty()
            }
            refused("ftp://me:secret@a.org/f") shouldBe
                "'ftp://***@a.org/f' is not a URL that can be downloaded; write for example https://example.com/file.zip"
            refused("file.txt") shouldContain "'file.txt' is not a URL"
            refused { digest("SHA-257", "00") } shouldContain "digest algorithm 'SHA-257' is not known here; write for example SHA-256"
            refused { digest("SHA-256", "00") } shouldContain "digest '00' has 2 digits, but SHA-256 has 64"
            refused { digest("MD5", "xyz") } shouldContain "digest 'xyz' is not hexadecimal; write 32 digits"
            refused { header("range", "bytes=1-") } shouldContain "header 'range' is set by the download itself"
        }
    })

package dev.ratelimit.samples

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.SharedMemoryStore
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.engine.spec.tempfile
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.comparables.shouldBeGreaterThanOrEqualTo
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.ktor.http.ContentType
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.Application
import io.ktor.server.cio.CIO
import io.ktor.server.engine.embeddedServer
import io.ktor.server.response.header
import io.ktor.server.response.respond
import io.ktor.server.response.respondBytes
import io.ktor.server.response.respondRedirect
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import java.io.File
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.measureTime

private fun Application.site() {
    routing {
        get("/{dir}/report.txt") { call.respondBytes("report of ${call.parameters["dir"]}".toByteArray(), ContentType.Text.Plain) }
        get("/big.bin") { call.respondBytes(ByteArray(3_000_000) { it.toByte() }, ContentType.Application.OctetStream) }
        get("/moved") { call.respondRedirect("/a/report.txt") }
        get("/late.txt") {
            File(call.parameters["make"].orEmpty()).writeText("mine")
            call.respondBytes("theirs".toByteArray(), ContentType.Text.Plain)
        }
        var tries = 0
        get("/busy.txt") {
            if (tries++ ==
                0
            ) {
                call.respond(HttpStatusCode.ServiceUnavailable)
            } else {
                call.respondBytes("at last".toByteArray())
            }
        }
        get("/zipped.txt") {
            call.response.header("Content-Encoding", "gzip")
            call.respondBytes(ByteArray(3))
        }
        get("/broken") { call.respond(HttpStatusCode.InternalServerError) }
    }
}

class DownloadCommandTest :
    FunSpec({
        val dir = tempdir()
        val server = embeddedServer(CIO, port = 0, host = "127.0.0.1", module = Application::site)
        var site = ""
        beforeSpec {
            server.startSuspend(wait = false)
            site = "http://127.0.0.1:${server.engine.resolvedConnectors().first().port}"
        }
        afterSpec { server.stopSuspend(0, 0) }

        fun fresh() = File(dir, "run-${System.nanoTime()}")

        fun File.contents() = listFiles().orEmpty().associate { it.name to it.readText() }

        test("downloads what it is told to, one line for each file, and nothing moves where there is no terminal") {
            val to = fresh()
            val run = run("$site/a/report.txt", "$site/big.bin", "--dir", "$to", "--rate", "100/s")
            run.err shouldBe ""
            run.exitCode shouldBe 0
            run.out.lines().filter { it.isNotEmpty() }.map { it.substringBefore(' ') } shouldContainExactlyInAnyOrder
                listOf("OK", "OK", "2")
            run.out shouldContain "OK    $site/a/report.txt -> ${File(to, "report.txt")} (11B)"
            run.out shouldContain "(2.9MiB)"
            run.out shouldContain "2 of 2 files, 2.9MiB in "
            run.out shouldNotContain "\u001b"
            File(to, "report.txt").readText() shouldBe "report of a"
            File(to, "big.bin").readBytes() shouldBe ByteArray(3_000_000) { it.toByte() }
        }

        test("files of one name do not overwrite one another, nor what was there") {
            val to = fresh()
            to.mkdirs()
            File(to, "report.txt").writeText("mine")
            run("$site/a/report.txt", "$site/b/report.txt", "--dir", "$to", "--parallel", "2").exitCode shouldBe 0
            to.contents() shouldBe
                mapOf("report.txt" to "mine", "report.1.txt" to "report of a", "report.2.txt" to "report of b")
        }

        test("a file that somebody makes meanwhile is not overwritten either") {
            val to = fresh()
            val url = "$site/late.txt?make=${File(to, "late.txt")}"
            val run = run(url, "--dir", "$to")
            run.exitCode shouldBe 3
            run.err shouldContain "late.txt exists by now"
            to.contents() shouldBe mapOf("late.txt" to "mine")
        }

        test("a failure is reported, costs the exit code, and leaves nothing behind") {
            val to = fresh()
            val urls = arrayOf("$site/missing.txt", "$site/broken", "$site/a/report.txt", "http://127.0.0.1:1/x")
            val run = run(*urls, "--dir", "$to", "--retries", "0")
            run.exitCode shouldBe 4
            run.err shouldContain "FAIL  $site/missing.txt: 404 Not Found"
            run.err shouldContain "FAIL  $site/broken: 500 Internal Server Error"
            run.err shouldContain "FAIL  http://127.0.0.1:1/x: "
            run.out shouldContain "1 of 4 files"
            to.contents().keys shouldBe setOf("report.txt")
        }

        test("an answer that ends too early is a failure") {
            val to = fresh()
            HalfServer.start().use { half ->
                val run = run(half.url, "--dir", "$to", "--retries", "0")
                run.exitCode shouldBe 4
                run.err shouldContain "FAIL  ${half.url}: the answer ended 95 bytes too early, after 5 of 100"
                to.listFiles().orEmpty().asList().shouldBeEmpty()
            }
        }

        test("what the server cannot give now is asked for again, and that is told") {
            val to = fresh()
            val run = run("$site/busy.txt", "--dir", "$to", "--retries", "1")
            run.exitCode shouldBe 0
            run.err shouldContain Regex("RETRY $site/busy.txt: 503 Service Unavailable; try 2 in [12]\\.\\d s")
            to.contents() shouldBe mapOf("busy.txt" to "at last")
        }

        test("each kind of failure has its exit code, and the lowest of several tells") {
            run("$site/missing.txt", "--dir", "${fresh()}").exitCode shouldBe 8
            run("$site/missing.txt", "http://127.0.0.1:1/x", "--dir", "${fresh()}").exitCode shouldBe 4
            run("$site/zipped.txt", "$site/missing.txt", "--dir", "${fresh()}").exitCode shouldBe 7
            val busy = fresh().apply { mkdirs() }
            File(busy, "missing.txt.ratelimit-part").mkdirs()
            val run = run("$site/missing.txt", "--dir", "$busy")
            run.err shouldContain "missing.txt.ratelimit-part cannot be written: it is not a regular file"
            run.exitCode shouldBe 3
        }

        test("--resume goes on where the same command was ended, and without it nothing of before is used") {
            val to = fresh()
            CutServer.start("0123456789").use { cut ->
                run(cut.url, "$site/a/report.txt", "--dir", "$to", "--retries", "0").exitCode shouldBe 4
                to.contents().keys shouldBe setOf("cut.txt.ratelimit-part", "cut.txt.ratelimit-note", "report.txt")
                val run = run(cut.url, "$site/a/report.txt", "--dir", "$to", "--retries", "0", "--resume")
                run.exitCode shouldBe 0
                run.out shouldContain "HAVE  $site/a/report.txt -> ${File(to, "report.txt")}"
                run.out shouldContain "OK    ${cut.url} -> ${File(to, "cut.txt")} (10B, 5B of it from before)"
                to.contents() shouldBe mapOf("cut.txt" to "0123456789", "report.txt" to "report of a")
                cut.ranges shouldBe listOf(null, "bytes=5-")
            }
            CutServer.start("0123456789").use { cut ->
                repeat(2) { run(cut.url, "--dir", "${fresh()}", "--retries", "0").exitCode shouldBe if (it == 0) 4 else 0 }
                cut.ranges shouldBe listOf(null, null)
            }
        }

        test("--limit-rate keeps all files together below so many bytes a second") {
            val to = fresh()
            val run: Run
            // Three megabytes above a burst of 1 MiB at 10 MiB a second take 186 ms at least.
            val time = measureTime { run = run("$site/big.bin", "--dir", "$to", "--limit-rate", "10M") }
            run.exitCode shouldBe 0
            File(to, "big.bin").length() shouldBe 3_000_000
            time shouldBeGreaterThanOrEqualTo 186.milliseconds
        }

        test("URLs come from standard input") {
            val to = fresh()
            run("-i", "-", "--dir", "$to", stdin = "# reports\n$site/a/report.txt\n").exitCode shouldBe 0
            to.contents() shouldBe mapOf("report.txt" to "report of a")
            run("-i", "-", stdin = "x\n").err shouldContain "line 1 of standard input, 'x', is not a URL"
            run("-i", "-").err shouldContain "there is no URL in standard input"
        }

        test("URLs come from a file too, with comments") {
            val to = fresh()
            val list = tempfile("urls")
            list.writeText("\uFEFF# reports\n$site/a/report.txt\n\n  $site/moved  \n")
            run("-i", "$list", "--dir", "$to").exitCode shouldBe 0
            to.contents() shouldBe mapOf("report.txt" to "report of a", "moved" to "report of a")
        }

        test("a terminal sees how far each file is, and how long permits took") {
            val to = fresh()
            val run = run("$site/big.bin", "$site/a/report.txt", "--dir", "$to", "--rate", "10/s burst 1", isTerminal = true)
            run.exitCode shouldBe 0
            run.out shouldContain "[TOTAL 0/2 CN:"
            run.out shouldContain "WAITED:0.0 s]"
            run.out shouldContain "2 of 2 files"
        }

        test("downloaders that name the same file are under one limit") {
            val to = fresh()
            val limits = File(dir, "limits-${System.nanoTime()}")

            run("$site/a/report.txt", "--dir", "$to", "--rate", "2/d", "--shared", "$limits").exitCode shouldBe 0
            run("$site/b/report.txt", "--dir", "$to", "--rate", "2/d", "--shared", "$limits").exitCode shouldBe 0
            // A third would wait until tomorrow.
            SharedMemoryStore.open(limits.toPath()).use { store ->
                val host = KeyedRateLimiter<String>("http other hosts", RateLimit.parse("2/d"), store = store)["127.0.0.1"]
                host.peek().isAllowed shouldBe false
            }
        }

        test("a wrong command line is told so, with exit code 2") {
            suspend fun refused(vararg args: String, message: String) {
                val run = run(*args)
                run.exitCode shouldBe 2
                run.err shouldContain message
            }
            refused("--rate", "10", "$site/a/report.txt", message = "invalid value for --rate: rate '10' has no unit; write '10/s'")
            refused("--parallel", "0", message = "--parallel")
            refused("--parallel", "many", message = "--parallel")
            refused("--nonsense", message = "--nonsense")
            refused("report.txt", message = "argument 1, 'report.txt', is not a URL; write for example https://example.com/file.zip")
            refused("ftp://example.com/file", message = "is not a URL")
            refused("-i", "${File(dir, "nowhere")}", message = "cannot be read: it does not exist")
            val empty = tempfile("urls").apply { writeText("# nothing\n") }
            val latin = tempfile("urls").apply { writeBytes("http://a.org/\u00fc".toByteArray(Charsets.ISO_8859_1)) }
            refused("-i", "$latin", message = "$latin is not UTF-8")
            refused("$site/a/report.txt", "--dir", "$latin/below", message = "--dir '$latin/below' cannot be made")
            refused("$site/a/report.txt", "--dir", "$dir", "--shared", "$latin", message = "--shared: $latin ")
            refused("--shared", "$latin", message = "--shared needs URLs; write --processes N")
            refused("--limit-rate", "1M", message = "--limit-rate needs URLs")
            refused("--limit-rate", "fast", "$site/a/report.txt", message = "'fast' is not a number of bytes a second; write")
            refused("--resume", message = "--resume needs URLs")
            refused("--store", "memory", message = "--store and --redis-url need URLs")
            val url = "$site/a/report.txt"
            val redis = "redis://me:secret@127.0.0.1:1"
            refused(url, "--store", "file", message = "--store file needs a file; write --shared FILE")
            refused(url, "--store", "redis", message = "--store redis needs an address; write --redis-url redis://localhost:6379")
            refused(url, "--store", "memory", "--shared", "$latin", message = "--shared is for --store file")
            refused(url, "--store", "file", "--shared", "$latin", "--redis-url", redis, message = "two places for one limit")
            refused(url, "--store", "memory", "--redis-url", redis, message = "--redis-url is for --store redis")
            refused(url, "--redis-url", redis, "--dir", "$dir", message = "--redis-url: Redis at 127.0.0.1:1 cannot be reached")
            refused(url, "--store", "cloud", message = "--store")
            refused(url, "--retries", "-1", message = "--retries")
            refused("--processes", "1", message = "--processes")
            refused("--processes", "2", "$site/a/report.txt", message = "--processes is for the demo")
            refused("-i", "$empty", message = "there is no URL in $empty")
            val bad = tempfile("urls").apply { writeText("# one\nhttp:///x\n") }
            refused("-i", "$bad", message = "line 2 of $bad, 'http:///x', is not a URL")
        }

        test("help is no error") {
            val run = run("--help")
            run.exitCode shouldBe 0
            run.out shouldContain "--rate"
            run.out.replace(Regex("\\s+"), " ") shouldContain "3 a file cannot be written; 4 the network failed;"
        }
    })

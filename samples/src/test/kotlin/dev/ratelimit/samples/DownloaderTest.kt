package dev.ratelimit.samples

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.SharedMemoryStore
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.engine.spec.tempfile
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.ktor.http.ContentType
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.Application
import io.ktor.server.cio.CIO
import io.ktor.server.engine.embeddedServer
import io.ktor.server.response.respond
import io.ktor.server.response.respondBytes
import io.ktor.server.response.respondRedirect
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import java.io.File

private fun Application.site() {
    routing {
        get("/{dir}/report.txt") { call.respondBytes("report of ${call.parameters["dir"]}".toByteArray(), ContentType.Text.Plain) }
        get("/big.bin") { call.respondBytes(ByteArray(3_000_000) { it.toByte() }, ContentType.Application.OctetStream) }
        get("/moved") { call.respondRedirect("/a/report.txt") }
        get("/late.txt") {
            File(call.parameters["make"].orEmpty()).writeText("mine")
            call.respondBytes("theirs".toByteArray(), ContentType.Text.Plain)
        }
        get("/broken") { call.respond(HttpStatusCode.InternalServerError) }
    }
}

class DownloaderTest :
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
            run.exitCode shouldBe 1
            run.err shouldContain "late.txt exists by now"
            to.contents() shouldBe mapOf("late.txt" to "mine")
        }

        test("a failure is reported, costs the exit code, and leaves nothing behind") {
            val to = fresh()
            val run = run("$site/missing.txt", "$site/broken", "$site/a/report.txt", "http://127.0.0.1:1/x", "--dir", "$to")
            run.exitCode shouldBe 1
            run.err shouldContain "FAIL  $site/missing.txt: 404 Not Found"
            run.err shouldContain "FAIL  $site/broken: 500 Internal Server Error"
            run.err shouldContain "FAIL  http://127.0.0.1:1/x: "
            run.out shouldContain "1 of 4 files"
            to.contents().keys shouldBe setOf("report.txt")
        }

        test("an answer that ends too early is a failure") {
            val to = fresh()
            HalfServer.start().use { half ->
                val run = run(half.url, "--dir", "$to")
                run.exitCode shouldBe 1
                run.err shouldContain "FAIL  ${half.url}: "
                to.listFiles().orEmpty().asList().shouldBeEmpty()
            }
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
            refused("-i", "${File(dir, "nowhere")}", message = "does not exist")
            val empty = tempfile("urls").apply { writeText("# nothing\n") }
            val latin = tempfile("urls").apply { writeBytes("http://a.org/\u00fc".toByteArray(Charsets.ISO_8859_1)) }
            refused("-i", "$latin", message = "$latin is not UTF-8")
            refused("$site/a/report.txt", "--dir", "$latin/below", message = "--dir '$latin/below' cannot be made")
            refused("$site/a/report.txt", "--dir", "$dir", "--shared", "$latin", message = "--shared: $latin ")
            refused("--shared", "$latin", message = "--shared needs URLs; write --processes N")
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
        }
    })

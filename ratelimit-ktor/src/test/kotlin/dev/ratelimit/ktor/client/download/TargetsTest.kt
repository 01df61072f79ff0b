package dev.ratelimit.ktor.client.download

import dev.ratelimit.ktor.client.DownloadException
import dev.ratelimit.ktor.client.DownloadFailure
import dev.ratelimit.ktor.client.DownloadRequest
import dev.ratelimit.ktor.client.IfExists
import dev.ratelimit.ktor.client.download
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.ktor.client.HttpClient
import io.ktor.client.engine.mock.MockEngine
import io.ktor.client.engine.mock.respond
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import java.io.File
import java.nio.file.Files
import java.nio.file.Path

/** What is there already, and what comes meanwhile. */
class TargetsTest :
    FunSpec({
        var count = 0

        fun folder(): File = tempdir("targets${count++}")

        fun File.files() = listFiles().orEmpty().filter { it.isFile }.associate { it.name to it.readText() }

        fun request(
            target: Path,
            ifExists: IfExists = IfExists.FAIL,
        ) = DownloadRequest.builder("http://a.org/f", target).ifExists(ifExists).build()

        suspend fun download(
            target: Path,
            ifExists: IfExists = IfExists.FAIL,
            meanwhile: suspend () -> Unit = {},
        ) = HttpClient(
            MockEngine {
                meanwhile()
                respond("theirs")
            },
        ).use { it.download(request(target, ifExists)) }

        test("a target that exists is not asked for, unless it may be replaced or another name taken") {
            val dir = folder()
            val target = dir.resolve("f.tar.gz").apply { writeText("mine") }.toPath()
            val failure = shouldThrow<DownloadException> { download(target) { error("asked") } }
            failure.failure shouldBe DownloadFailure.EXISTS
            failure.reason shouldBe "$target exists; let it be replaced (IfExists.REPLACE), or take another name (IfExists.NUMBER)"
            dir.files() shouldBe mapOf("f.tar.gz" to "mine")

            download(target, IfExists.NUMBER).path shouldBe target.resolveSibling("f.tar.1.gz")
            download(target, IfExists.NUMBER).path shouldBe target.resolveSibling("f.tar.2.gz")
            download(target, IfExists.REPLACE).path shouldBe target
            dir.files() shouldBe listOf("f.tar.gz", "f.tar.1.gz", "f.tar.2.gz").associateWith { "theirs" }
        }

        test("a file that somebody makes meanwhile is not overwritten either") {
            val dir = folder()
            val target = dir.resolve("f").toPath()
            val failure = shouldThrow<DownloadException> { download(target) { target.toFile().writeText("mine") } }
            failure.reason shouldBe "$target exists by now"
            dir.files() shouldBe mapOf("f" to "mine")
            val number = dir.resolve("g").toPath()
            download(number, IfExists.NUMBER) { number.toFile().writeText("mine") }.path shouldBe dir.resolve("g.1").toPath()
            dir.files() shouldBe mapOf("f" to "mine", "g" to "mine", "g.1" to "theirs")
        }

        test("where there are no links, an empty file keeps the place") {
            val dir = folder()
            val from = dir.resolve("from").apply { writeText("new") }.toPath()
            val to = dir.resolve("to").apply { writeText("old") }.toPath()
            Placing.move(from, to) shouldBe false
            Placing.move(from, dir.resolve("free").toPath()) shouldBe true
            dir.files() shouldBe mapOf("to" to "old", "free" to "new")
        }

        test("a second download to the same target is told so, and a numbered one takes another name") {
            val dir = folder()
            val target = dir.resolve("f").toPath()
            download(target) {
                val failure = shouldThrow<DownloadException> { download(dir.resolve("../${dir.name}/f").toPath()) }
                failure.failure shouldBe DownloadFailure.BUSY
                failure.reason shouldContain "another download is writing "
                download(target, IfExists.NUMBER).path shouldBe dir.resolve("f.1").toPath()
            }
            dir.files() shouldBe mapOf("f" to "theirs", "f.1" to "theirs")
        }

        test("of many at once one gets the name, and numbered ones get a name each") {
            val dir = folder()
            val go = CompletableDeferred<Unit>()
            coroutineScope {
                val all = List(20) { async { download(dir.resolve("f").toPath(), IfExists.NUMBER) { go.await() } } }
                go.complete(Unit)
                all.awaitAll().map { it.path.toFile().name }.toSet() shouldBe (listOf("f") + (1..19).map { "f.$it" }).toSet()
            }
            dir.files().size shouldBe 20
        }

        test("a folder that is missing, and one that is none, are told before anything is asked") {
            val dir = folder()
            dir.resolve("file").writeText("")

            suspend fun reason(target: String): String {
                val failure = shouldThrow<DownloadException> { download(dir.resolve(target).toPath()) { error("asked") } }
                failure.failure shouldBe DownloadFailure.FILE
                return failure.reason
            }
            reason("missing/f") shouldBe
                "${dir.resolve("missing/f.ratelimit-part")} cannot be written: its folder does not exist; make it first"
            reason("file/f") shouldContain "cannot be written"
        }

        test("a target that is a folder is not replaced") {
            val dir = folder()
            dir.resolve("f/below").mkdirs()
            val failure = shouldThrow<DownloadException> { download(dir.resolve("f").toPath(), IfExists.REPLACE) }
            failure.failure shouldBe DownloadFailure.FILE
            failure.reason shouldContain "${dir.resolve("f")} cannot be written: "
        }

        test("a part that is a symbolic link or a folder is not written through") {
            val dir = folder()
            val precious = dir.resolve("precious").apply { writeText("mine") }
            Files.createSymbolicLink(dir.resolve("f.ratelimit-part").toPath(), precious.toPath())
            dir.resolve("g.ratelimit-part").mkdirs()
            for (name in listOf("f", "g")) {
                val failure = shouldThrow<DownloadException> { download(dir.resolve(name).toPath()) }
                failure.reason shouldContain "$name.ratelimit-part cannot be written: it is not a regular file"
            }
            precious.readText() shouldBe "mine"
        }

        test("a note that was planted is replaced, not written through") {
            val dir = folder()
            val precious = dir.resolve("precious").apply { writeText("mine") }
            Files.createSymbolicLink(dir.resolve("f.ratelimit-note").toPath(), precious.toPath())
            Part.claim(request(dir.resolve("f").toPath())).use { it.restart("\"one\"", 5) }
            precious.readText() shouldBe "mine"
        }

        test("whoever locks a part just after it was finished has nothing") {
            val dir = folder()
            val part = dir.resolve("f.ratelimit-part").toPath()
            val claim = Claim.of(part).shouldNotBeNull()
            Claim.of(part) shouldBe null
            Files.move(part, dir.resolve("f").toPath())
            claim.close()
            Claim.of(part).shouldNotBeNull().use { Files.exists(part) shouldBe true }
        }
    })

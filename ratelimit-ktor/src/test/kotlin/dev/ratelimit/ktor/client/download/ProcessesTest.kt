package dev.ratelimit.ktor.client.download

import dev.ratelimit.ktor.client.IfExists
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.io.File
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.random.Random
import kotlin.time.Duration.Companion.seconds

private const val SIZE = 2_000_000
private const val HALF = 1_000_000
private val content = Random(2).nextBytes(SIZE)

/** Processes of their own, which share targets, are killed, or have no room. */
class ProcessesTest :
    FunSpec({
        var count = 0

        /** Sends the first half to whoever asks for all, and the rest when [release] comes. */
        fun server(release: CountDownLatch = CountDownLatch(0)) =
            RawServer { request, out ->
                val range = request["range"]
                val from = range?.removePrefix("bytes=")?.removeSuffix("-")?.toInt() ?: 0
                if (range == null) {
                    out.head("200 OK", "Content-Length: $SIZE", "ETag: \"one\"")
                    out.write(content, 0, HALF)
                    out.flush()
                    release.await(60, TimeUnit.SECONDS)
                    out.write(content, HALF, SIZE - HALF)
                } else {
                    out.head("206 Partial Content", "Content-Range: bytes $from-${SIZE - 1}/$SIZE", "ETag: \"one\"")
                    out.write(content, from, SIZE - from)
                }
            }

        fun child(
            raw: RawServer,
            target: File,
            ifExists: IfExists = IfExists.FAIL,
            prefix: List<String> = emptyList(),
        ) = Child(listOf(raw.url, "$target", "$ifExists"), prefix)

        suspend fun halfThere(target: File) =
            eventually(60.seconds) { Part.partOf(target.toPath()).toFile().length() shouldBeGreaterThan HALF - 65_536L }

        test("two processes with one target: one writes, the other is told or takes another name, and both files are whole") {
            val target = File(tempdir("processes${count++}"), "f.bin")
            val release = CountDownLatch(1)
            server(release).use { raw ->
                child(raw, target).use { first ->
                    halfThere(target)
                    child(raw, target, IfExists.REPLACE).use {
                        it.ended() shouldBe OneDownload.FAILED
                        it.said shouldContain "BUSY another download is writing $target"
                    }
                    release.countDown()
                    child(raw, target, IfExists.NUMBER).use { second ->
                        withClue(second.said) { second.ended() shouldBe 0 }
                        first.ended() shouldBe 0
                    }
                }
            }
            val names = target.parentFile.list().orEmpty().sorted()
            names.filter { it.startsWith("f") } shouldBe listOf("f.1.bin", "f.bin")
            names.size shouldBe 2
            for (name in names) File(target.parentFile, name).readBytes().contentEquals(content) shouldBe true
        }

        test("what a killed process leaves is continued") {
            val target = File(tempdir("processes${count++}"), "f.bin")
            server(CountDownLatch(1)).use { raw ->
                child(raw, target).use { first ->
                    halfThere(target)
                    first.process.destroyForcibly().waitFor()
                }
                val there = Part.partOf(target.toPath()).toFile().length()
                child(raw, target).use {
                    withClue(it.said) { it.ended() shouldBe 0 }
                    it.said shouldContain "done f.bin $SIZE $there"
                }
                target.readBytes().contentEquals(content) shouldBe true
                target.parentFile.list().orEmpty().asList() shouldBe listOf("f.bin")
            }
        }

        test("a full disk is told with the file, and what had room is kept and continued").config(enabled = canMount) {
            val folder = Files.createTempDirectory("ratelimit")
            succeeds("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "$folder") shouldBe true
            try {
                server().use { raw ->
                    val target = File("$folder", "f.bin")
                    child(raw, target).use {
                        it.ended() shouldBe OneDownload.FAILED
                        it.said shouldContain
                            "FILE $target.ratelimit-part cannot be written: No space left on device $target.ratelimit-part"
                    }
                    succeeds("mount", "-o", "remount,size=4m", "$folder") shouldBe true
                    child(raw, target).use { withClue(it.said) { it.ended() shouldBe 0 } }
                    raw.requests.last()["range"].orEmpty() shouldContain "bytes="
                    target.readBytes().contentEquals(content) shouldBe true
                }
            } finally {
                succeeds("umount", "$folder")
                Files.delete(folder)
            }
        }

        test("a limit on the size of files acts as a full disk").config(enabled = succeeds("sh", "-c", "ulimit -f 64")) {
            val target = File(tempdir("processes${count++}"), "f.bin")
            server().use { raw ->
                child(raw, target, prefix = listOf("sh", "-c", "ulimit -f 1000; exec \"$@\"", "sh")).use {
                    withClue(it.said) { it.ended() shouldBe OneDownload.FAILED }
                    it.said shouldContain "FILE $target.ratelimit-part cannot be written: File too large"
                }
                child(raw, target).use { withClue(it.said) { it.ended() shouldBe 0 } }
                target.readBytes().contentEquals(content) shouldBe true
            }
        }
    })

private val canMount: Boolean by lazy {
    val folder: Path = Files.createTempDirectory("ratelimit")
    val isMounted = succeeds("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "$folder")
    if (isMounted) succeeds("umount", "$folder")
    Files.delete(folder)
    isMounted
}

private fun succeeds(vararg command: String): Boolean =
    try {
        val quiet = ProcessBuilder.Redirect.DISCARD
        val process = ProcessBuilder(*command).redirectOutput(quiet).redirectError(quiet).start()
        process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0
    } catch (ignored: IOException) {
        false
    }

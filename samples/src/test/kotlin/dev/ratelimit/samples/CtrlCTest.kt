package dev.ratelimit.samples

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import java.io.File
import java.io.IOException
import java.util.concurrent.TimeUnit
import kotlin.io.path.Path
import kotlin.time.Duration.Companion.seconds

/** The real command in a process of its own. */
class CtrlCTest :
    FunSpec({
        test("Ctrl-C keeps what has come, says so, ends with 130, and --resume goes on from there") {
            val to = tempdir()
            CutServer.start("0123456789", isStuck = true).use { stuck ->
                val log = File(to, "log")
                val process = ProcessBuilder(
                    command + listOf(stuck.url, "--dir", "$to"),
                ).redirectErrorStream(true).redirectOutput(log).start()
                try {
                    eventually(60.seconds) { File(to, "cut.txt.ratelimit-part").length() shouldBeGreaterThan 0 }
                    ProcessBuilder("kill", "-INT", "${process.pid()}").start().waitFor() shouldBe 0
                    process.waitFor(60, TimeUnit.SECONDS) shouldBe true
                } finally {
                    process.destroyForcibly()
                }
                val said = log.readText()
                said shouldContain
                    Regex("Stopped. 0 of 1 files, .*; 1 partial file is kept \\(5B\\); the same command with --resume continues it")
                said shouldNotContain "Exception"
                process.exitValue() shouldBe 130

                run(stuck.url, "--dir", "$to", "--resume").exitCode shouldBe 0
                File(to, "cut.txt").readText() shouldBe "0123456789"
                stuck.ranges shouldBe listOf(null, "bytes=5-")
            }
        }
    }) {
    private companion object {
        /** A build that runs in the background may ignore Ctrl-C, and its children with it, unless they are told not to. */
        private val heeding = listOf("env", "--default-signal=INT")

        private val java = listOf("${Path(System.getProperty("java.home"), "bin", "java")}", "-XX:TieredStopAtLevel=1")

        val command: List<String> =
            (if (succeeds(heeding + "true")) heeding else emptyList()) + java +
                listOf("-cp", System.getProperty("java.class.path"), "dev.ratelimit.samples.MainKt")

        fun succeeds(command: List<String>): Boolean =
            try {
                ProcessBuilder(command).start().waitFor() == 0
            } catch (ignored: IOException) {
                false
            }
    }
}

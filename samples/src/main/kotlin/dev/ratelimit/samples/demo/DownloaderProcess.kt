package dev.ratelimit.samples.demo

import dev.ratelimit.samples.ExitCodes
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runInterruptible
import java.nio.file.Path
import kotlin.io.path.Path
import kotlin.io.path.readText

/** The downloader, in a process of its own: what `./demo` does with URLs. */
internal class DownloaderProcess private constructor(
    private val process: Process,
    private val log: Path,
) : AutoCloseable {
    /** Waits for its end. Downloads that the server refused are an answer, all else is an error. */
    suspend fun finish() {
        val exitCode = runInterruptible(Dispatchers.IO) { process.waitFor() }
        check(exitCode == 0 || exitCode == ExitCodes.REFUSED) { "a downloader ended with $exitCode:\n${log.readText()}" }
    }

    override fun close() {
        process.destroyForcibly()
    }

    companion object {
        private val java = Path(System.getProperty("java.home"), "bin", "java")

        // A process of some seconds has no use for the best compiler.
        private val command =
            listOf("$java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path")) +
                "dev.ratelimit.samples.MainKt"

        fun start(args: List<String>, log: Path): DownloaderProcess {
            val process = ProcessBuilder(command + args).redirectErrorStream(true).redirectOutput(log.toFile()).start()
            return DownloaderProcess(process, log)
        }
    }
}

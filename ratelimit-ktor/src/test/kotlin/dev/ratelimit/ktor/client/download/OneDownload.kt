package dev.ratelimit.ktor.client.download

import dev.ratelimit.ktor.client.DownloadException
import dev.ratelimit.ktor.client.IfExists
import dev.ratelimit.ktor.client.download
import io.ktor.client.HttpClient
import io.ktor.client.engine.cio.CIO
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import java.io.File
import java.util.concurrent.TimeUnit
import kotlin.io.path.Path
import kotlin.system.exitProcess

/** A process that downloads the file at its first argument to the second, by the rule of the third, and says what came of it. */
internal object OneDownload {
    const val FAILED = 7

    @JvmStatic
    fun main(args: Array<String>) {
        val (url, target, ifExists) = args
        try {
            val file =
                runBlocking(Dispatchers.Default) {
                    HttpClient(CIO).use { it.download(url, Path(target)) { ifExists(IfExists.valueOf(ifExists)) } }
                }
            println("done ${file.path.fileName} ${file.bytes} ${file.resumedFrom}")
        } catch (e: DownloadException) {
            println("${e.failure} ${e.reason} ${e.partial}")
            exitProcess(FAILED)
        }
        exitProcess(0)
    }
}

/** It, started. */
internal class Child(
    arguments: List<String>,
    prefix: List<String> = emptyList(),
) : AutoCloseable {
    private val log = File.createTempFile("child", ".log").apply { deleteOnExit() }
    val process: Process =
        ProcessBuilder(prefix + JAVA + listOf("-XX:TieredStopAtLevel=1", "-cp", CLASS_PATH, OneDownload::class.java.name) + arguments)
            .redirectErrorStream(true)
            .redirectOutput(log)
            .start()

    val said: String get() = log.readText()

    fun ended(): Int {
        check(process.waitFor(SECONDS, TimeUnit.SECONDS)) { "still there after $SECONDS s: $said" }
        return process.exitValue()
    }

    override fun close() {
        process.destroyForcibly().waitFor()
        log.delete()
    }

    private companion object {
        val JAVA = "${Path(System.getProperty("java.home"), "bin", "java")}"
        val CLASS_PATH: String = System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path")
        const val SECONDS = 60L
    }
}

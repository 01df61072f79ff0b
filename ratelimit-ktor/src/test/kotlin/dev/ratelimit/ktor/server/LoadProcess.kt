package dev.ratelimit.ktor.server

import java.io.File
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse.BodyHandlers
import java.util.concurrent.TimeUnit

/** A process of its own that calls a server as fast as it can, and tells how often it got which status. */
internal class LoadProcess(
    url: String,
    calls: Int,
) : AutoCloseable {
    private val process =
        ProcessBuilder(
            File(System.getProperty("java.home"), "bin/java").path,
            *arrayOf("-XX:TieredStopAtLevel=1", "-Xmx128m", "-cp", System.getProperty("java.class.path")),
            *arrayOf("dev.ratelimit.ktor.server.LoadProcessKt", url, "$calls"),
        ).redirectError(ProcessBuilder.Redirect.INHERIT).start()

    /** By status; waits for the end. */
    fun answers(): Map<Int, Int> {
        val lines = process.inputStream.bufferedReader().readLines()
        check(process.waitFor(TIMEOUT, TimeUnit.SECONDS) && process.exitValue() == 0) { "the load ended with: $lines" }
        return lines.associate { it.substringBefore(' ').toInt() to it.substringAfter(' ').toInt() }
    }

    override fun close() {
        process.destroyForcibly().waitFor()
    }

    private companion object {
        const val TIMEOUT = 60L
    }
}

private const val AT_ONCE = 8

internal fun main(args: Array<String>) {
    val (url, calls) = args
    val client = HttpClient.newHttpClient()
    val statuses =
        atOnce(AT_ONCE) {
            List(calls.toInt() / AT_ONCE) { client.send(HttpRequest.newBuilder(URI(url)).build(), BodyHandlers.discarding()).statusCode() }
        }.flatten()
    statuses.groupingBy { it }.eachCount().forEach { (status, times) -> println("$status $times") }
}

package dev.ratelimit.benchmarks.redis

import redis.embedded.RedisExecProvider
import java.io.File
import java.io.IOException
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.nio.file.Files
import java.nio.file.Path
import java.time.Duration
import java.util.concurrent.TimeUnit

/** A redis-server for this run alone, on a free loopback port; ended by its own handle. Another binary: `-Dratelimit.redis.server=path`. */
internal class OwnRedis : AutoCloseable {
    val port: Int = ServerSocket(0).use { it.localPort }
    private val dir: Path = Files.createTempDirectory("ratelimit-redis")
    private var process: Process = launched()

    init {
        // Also when the run is interrupted.
        Runtime.getRuntime().addShutdownHook(Thread { process.destroyForcibly() })
    }

    val uri: String get() = "redis://127.0.0.1:$port"

    /** The processor time it has used so far, as the operating system counts it: in steps of 10 ms. */
    fun cpu(): Duration = process.info().totalCpuDuration().orElse(Duration.ZERO)

    /** Ends the server at once, as a crash does; its buckets are gone. */
    fun kill() {
        process.destroyForcibly().waitFor()
    }

    /** Starts it again on the same port. */
    fun restart() {
        process = launched()
    }

    override fun close() {
        kill()
        dir.toFile().deleteRecursively()
    }

    private fun launched(): Process {
        val log = File(dir.toFile(), "log")
        val command = listOf(BINARY, "--port", "$port", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", "$dir")
        val started = ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log).start()
        val deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS_TO_START)
        while (!answers()) {
            check(started.isAlive && System.nanoTime() < deadline) { "redis-server did not start: ${log.readText()}" }
            Thread.onSpinWait()
        }
        return started
    }

    private fun answers(): Boolean =
        try {
            Socket().use { socket ->
                socket.connect(InetSocketAddress("127.0.0.1", port), MILLIS_TO_ANSWER)
                socket.soTimeout = MILLIS_TO_ANSWER
                socket.getOutputStream().write("PING\r\n".toByteArray())
                socket.getInputStream().read() == '+'.code
            }
        } catch (ignored: IOException) {
            false
        }

    private companion object {
        const val SECONDS_TO_START = 10L
        const val MILLIS_TO_ANSWER = 1_000
        val BINARY: String = System.getProperty("ratelimit.redis.server") ?: RedisExecProvider.defaultProvider().get().toString()
    }
}

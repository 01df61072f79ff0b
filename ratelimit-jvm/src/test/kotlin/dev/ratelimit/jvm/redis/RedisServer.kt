package dev.ratelimit.jvm.redis

import java.io.File
import java.io.IOException
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import redis.embedded.RedisExecProvider

/** A redis-server of its own on a free loopback port; ended by its own handle. Another binary: `-Dratelimit.redis.server=path`. */
internal class RedisServer(
    private vararg val options: String,
) : AutoCloseable {
    val port: Int = freePort()
    private val dir: Path = Files.createTempDirectory("ratelimit-redis")
    private var process: Process = start()

    val uri: String get() = "redis://127.0.0.1:$port"

    override fun close() {
        process.destroyForcibly().waitFor()
        dir.toFile().deleteRecursively()
    }

    private fun start(): Process {
        val command =
            listOf(BINARY, "--port", "$port", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", "$dir") + options
        val started = ProcessBuilder(command).redirectErrorStream(true).redirectOutput(File(dir.toFile(), "log")).start()
        val deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS_TO_START)
        while (!answers()) {
            check(started.isAlive && System.nanoTime() < deadline) { "redis-server did not start: ${File(dir.toFile(), "log").readText()}" }
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

    companion object {
        private const val SECONDS_TO_START = 10L
        private const val MILLIS_TO_ANSWER = 1_000

        private val BINARY: String =
            System.getProperty("ratelimit.redis.server") ?: RedisExecProvider.defaultProvider().get().toString()

        fun freePort(): Int = ServerSocket(0).use { it.localPort }
    }
}

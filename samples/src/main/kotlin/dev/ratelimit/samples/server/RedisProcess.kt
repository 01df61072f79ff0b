package dev.ratelimit.samples.server

import kotlinx.coroutines.delay
import redis.embedded.RedisExecProvider
import java.io.IOException
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** A Redis server of this demo's own, on a free port; it keeps nothing, and ends with the demo. */
internal class RedisProcess private constructor(
    private val process: Process,
    private val folder: Path,
    val url: String,
) : AutoCloseable {
    /** Ctrl-C, or a signal to this process alone. */
    private val atExit = Thread { process.destroyForcibly() }.also { Runtime.getRuntime().addShutdownHook(it) }

    override fun close() {
        process.destroy()
        if (!process.waitFor(2, TimeUnit.SECONDS)) process.destroyForcibly().waitFor()
        folder.toFile().deleteRecursively()
    }

    companion object {
        private val patience = 20.seconds

        suspend fun start(): RedisProcess {
            val port = ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { it.localPort }
            val binary = RedisExecProvider.defaultProvider().get().toString()
            val folder = Files.createTempDirectory("ratelimit-demo")
            val options = listOf("--port", "$port", "--bind", ApiServer.HOST, "--save", "", "--appendonly", "no", "--dir", "$folder")
            val quiet = ProcessBuilder.Redirect.DISCARD
            val process = ProcessBuilder(listOf(binary) + options).redirectErrorStream(true).redirectOutput(quiet).start()
            val server = RedisProcess(process, folder, "redis://${ApiServer.HOST}:$port")
            try {
                server.awaitPort(port)
            } catch (e: IOException) {
                server.close()
                throw e
            }
            return server
        }
    }

    private suspend fun awaitPort(port: Int) {
        val start = TimeSource.Monotonic.markNow()
        while (true) {
            try {
                return Socket(ApiServer.HOST, port).close()
            } catch (e: IOException) {
                if (!process.isAlive || start.elapsedNow() > patience) throw IOException("Redis does not start: ${e.message}", e)
                delay(20.milliseconds)
            }
        }
    }
}

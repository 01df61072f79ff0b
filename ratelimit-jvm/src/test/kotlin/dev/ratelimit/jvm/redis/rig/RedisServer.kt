package dev.ratelimit.jvm.redis.rig

import java.io.File
import java.nio.file.Files

/** What a test of the store needs of a server, whatever it is and wherever it runs. */
internal interface TestServer : AutoCloseable {
    val uri: String
}

/**
 * A server of its own on a free loopback port, keeping nothing on disk. Options are those of redis.conf:
 * `RedisServer("--requirepass", "secret")`, `RedisServer("--user", "app", "on", ">secret", "~*", "+@all")`.
 */
internal class RedisServer(
    private vararg val options: String,
    private val binary: String = RedisBinaries.default,
) : TestServer {
    private val dir: File = Files.createTempDirectory("ratelimit-redis").toFile()

    @Volatile
    private var process = runCatching { ServerProcess.onFreePort(::start) }.onFailure { dir.deleteRecursively() }.getOrThrow()

    init {
        Leftovers += this
    }

    val port: Int get() = process.port

    override val uri: String get() = "redis://${Ports.HOST}:$port"

    val isAlive: Boolean get() = process.isAlive

    val pid: Long get() = process.pid

    fun kill() = process.kill()

    /** At the same port, with nothing of what it held; a node of a cluster still knows who it was. */
    fun restart() {
        kill()
        process = start(port)
    }

    /** Its connections stay open and say nothing. */
    fun pause() = process.signal("STOP")

    fun resume() = process.signal("CONT")

    override fun close() {
        Leftovers -= this
        process.kill()
        dir.deleteRecursively()
    }

    private fun start(port: Int): ServerProcess {
        val own = listOf("--port", "$port", "--bind", Ports.HOST, "--save", "", "--appendonly", "no", "--dir", "$dir")
        return ServerProcess.start(listOf(binary) + own + options, port, File(dir, "log"))
    }

    companion object {
        /** The oldest that the store is for; null where no binary of it fits the platform. */
        fun oldest(vararg options: String): RedisServer? = RedisBinaries.of("6.2")?.let { RedisServer(*options, binary = it) }
    }
}

package dev.ratelimit.jvm.redis.rig

import io.lettuce.core.sentinel.api.sync.RedisSentinelCommands
import java.io.File
import java.nio.file.Files

/**
 * One sentinel. It writes what it learns into its own configuration file. It first pings a new master after 1 s at most, or after
 * the time in which it takes it for dead if that is shorter: with less than a second here it topples each heir at once.
 */
internal class Sentinel(
    private val masterName: String,
    masterPort: Int,
    quorum: Int,
    binary: String,
) : AutoCloseable {
    private val dir: File = Files.createTempDirectory("ratelimit-sentinel").toFile()
    private val process =
        ServerProcess.onFreePort { port ->
            val config = File(dir, "sentinel.conf")
            config.writeText(
                """
                port $port
                bind ${Ports.HOST}
                dir $dir
                sentinel monitor $masterName ${Ports.HOST} $masterPort $quorum
                sentinel down-after-milliseconds $masterName 1500
                sentinel failover-timeout $masterName 3000
                """.trimIndent() + "\n",
            )
            ServerProcess.start(listOf(binary, config.path, "--sentinel"), port, File(dir, "log"))
        }

    init {
        Leftovers += this
    }

    val port: Int get() = process.port

    /** The port of the master, as this one sees it. */
    val masterPort: Int get() = master().getValue("port").toInt()

    fun kill() = process.kill()

    /** Has met the others and has heard from as many replicas as there are: before that it could not promote one. */
    fun knows(
        sentinels: Int,
        replicas: Int,
    ): Boolean {
        val linked = ask { replicas(masterName) }.count { it["flags"] == "slave" && it["master-link-status"] == "ok" }
        val master = master()
        return linked == replicas && master["flags"] == "master" && master["num-other-sentinels"] == "${sentinels - 1}"
    }

    fun failover() {
        ask { failover(masterName) }
    }

    override fun close() {
        Leftovers -= this
        process.kill()
        dir.deleteRecursively()
    }

    private fun master(): Map<String, String> = ask { master(masterName) }

    private fun <T> ask(question: RedisSentinelCommands<String, String>.() -> T): T = Admin.askSentinel(port, question)
}

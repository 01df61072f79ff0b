package dev.ratelimit.jvm.redis.rig

import java.io.File
import java.io.IOException
import java.net.InetSocketAddress
import java.net.Socket
import java.util.concurrent.TimeUnit

/** A running server or sentinel, ended by its own handle. */
internal class ServerProcess private constructor(
    private val process: Process,
    val port: Int,
) {
    val isAlive: Boolean get() = process.isAlive

    val pid: Long get() = process.pid()

    fun kill() {
        process.destroyForcibly()
        check(process.waitFor(SECONDS, TimeUnit.SECONDS)) { "process $pid survives being killed" }
    }

    /** The handle knows no other signals; the shell does. */
    fun signal(name: String) {
        check(process.isAlive) { "process $pid has ended" }
        check(Spawner.succeeds(listOf("sh", "-c", "kill -$name $pid"))) { "kill -$name $pid failed" }
    }

    companion object {
        private const val SECONDS = 10L
        private const val MILLIS_TO_ANSWER = 1_000
        private const val TRIES = 5

        /** Said once the ports are ours; before that, whoever answers on the port may be somebody else. */
        private val READY = listOf("Ready to accept connections", "Sentinel ID is")

        fun start(
            command: List<String>,
            port: Int,
            log: File,
        ): ServerProcess {
            val process = Spawner.start(command, log)
            try {
                awaitThat("the start of $command") {
                    if (!process.isAlive) throw ended(command, log.readText())
                    val said = log.readText()
                    READY.any { it in said } && answers(port)
                }
            } catch (e: IllegalStateException) {
                process.destroyForcibly().waitFor(SECONDS, TimeUnit.SECONDS)
                throw e
            }
            return ServerProcess(process, port)
        }

        /** Between finding a port free and listening there somebody may take it. */
        fun onFreePort(start: (Int) -> ServerProcess): ServerProcess {
            repeat(TRIES) {
                try {
                    return start(Ports.free())
                } catch (ignored: PortTakenException) {
                    // Another port, then.
                }
            }
            error("$TRIES times the port was taken before the server listened")
        }

        private fun ended(
            command: List<String>,
            log: String,
        ): IllegalStateException =
            if ("in use" in log) PortTakenException(log) else IllegalStateException("ended at its start: $command: $log")

        private fun answers(port: Int): Boolean =
            try {
                Socket().use { socket ->
                    socket.connect(InetSocketAddress(Ports.HOST, port), MILLIS_TO_ANSWER)
                    socket.soTimeout = MILLIS_TO_ANSWER
                    socket.getOutputStream().write("PING\r\n".toByteArray())
                    val answer = socket.getInputStream().bufferedReader().readLine().orEmpty()
                    answer.startsWith("+PONG") || answer.startsWith("-NOAUTH")
                }
            } catch (ignored: IOException) {
                false
            }
    }

    private class PortTakenException(
        log: String,
    ) : IllegalStateException(log)
}

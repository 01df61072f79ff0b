package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.jvm.redis.rig.Ports
import java.io.BufferedReader
import java.io.IOException
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import kotlin.concurrent.thread

/** Says what a Redis of [version] would, as far as a store that connects asks it anything. */
internal class OldServer(
    private val version: String,
) : AutoCloseable {
    private val listener = ServerSocket(0, 50, InetAddress.getByName(Ports.HOST))

    val uri: String = "redis://${Ports.HOST}:${listener.localPort}"

    init {
        thread(isDaemon = true, name = "old-server") {
            try {
                while (true) listener.accept().let { thread(isDaemon = true, name = "old-server-client") { serve(it) } }
            } catch (ignored: IOException) {
                // Closed.
            }
        }
    }

    private fun serve(socket: Socket) {
        try {
            val input = socket.getInputStream().bufferedReader()
            while (true) {
                val words = command(input) ?: return
                socket.getOutputStream().write(answer(words).toByteArray())
            }
        } catch (ignored: IOException) {
            // The client went away.
        }
    }

    private fun command(input: BufferedReader): List<String>? {
        val count = input.readLine()?.drop(1)?.toInt() ?: return null
        return List(count) {
            val text = CharArray(input.readLine().drop(1).toInt())
            var read = 0
            while (read < text.size) read += input.read(text, read, text.size - read)
            input.readLine()
            String(text)
        }
    }

    private fun answer(words: List<String>): String =
        when (words[0].uppercase()) {
            "HELLO" -> "-ERR unknown command `HELLO`\r\n"
            "PING" -> "+PONG\r\n"
            "INFO" -> "# Server\r\nredis_version:$version\r\nredis_mode:standalone\r\n".let { "$${it.length}\r\n$it\r\n" }
            "EVALSHA", "EVAL" -> "*7\r\n" + ":1\r\n".repeat(7)
            else -> "+OK\r\n"
        }

    override fun close() = listener.close()
}

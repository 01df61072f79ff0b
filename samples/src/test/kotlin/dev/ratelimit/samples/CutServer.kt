package dev.ratelimit.samples

import java.net.InetAddress
import java.net.ServerSocket
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.concurrent.thread

/** Hangs up in the middle of its file when it is first asked for, or hangs ([isStuck]); knows ranges. */
internal class CutServer private constructor(
    private val content: String,
    private val socket: ServerSocket,
    private val isStuck: Boolean,
) : AutoCloseable by socket {
    val url = "http://127.0.0.1:${socket.localPort}/cut.txt"
    private val stuck = mutableListOf<AutoCloseable>()
    val ranges = CopyOnWriteArrayList<String?>()

    private fun serve() {
        while (!socket.isClosed) {
            val connection = runCatching { socket.accept() }.getOrNull() ?: return
            val head = connection.getInputStream().bufferedReader().lineSequence().takeWhile(String::isNotEmpty).toList()
            val range = head.firstOrNull { line -> line.startsWith("Range: ") }?.substringAfter(": ")
            ranges += range
            connection.getOutputStream().write(answer(range).toByteArray())
            if (isStuck && ranges.size == 1) stuck += connection else connection.close()
        }
    }

    private fun answer(range: String?): String {
        val from = range?.substringAfter('=')?.substringBefore('-')?.toInt() ?: 0
        val status = if (range ==
            null
        ) {
            "200 OK"
        } else {
            "206 Partial Content\r\nContent-Range: bytes $from-${content.length - 1}/${content.length}"
        }
        val body = if (ranges.size == 1) content.take(content.length / 2) else content.drop(from)
        return "HTTP/1.1 $status\r\nETag: \"1\"\r\nContent-Length: ${content.length - from}\r\nConnection: close\r\n\r\n$body"
    }

    companion object {
        fun start(content: String, isStuck: Boolean = false): CutServer {
            val server = CutServer(content, ServerSocket(0, 50, InetAddress.getLoopbackAddress()), isStuck)
            thread(isDaemon = true) { server.serve() }
            return server
        }
    }
}

package dev.ratelimit.samples

import java.net.InetAddress
import java.net.ServerSocket
import kotlin.concurrent.thread

/** Promises a hundred bytes, sends five, and hangs up. */
internal class HalfServer private constructor(
    private val socket: ServerSocket,
) : AutoCloseable by socket {
    val url = "http://127.0.0.1:${socket.localPort}/half.bin"

    private fun serve() {
        while (!socket.isClosed) {
            val connection = runCatching { socket.accept() }.getOrNull() ?: return
            connection.use {
                it.getInputStream().bufferedReader().lineSequence().takeWhile(String::isNotEmpty).count()
                it.getOutputStream().write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\n12345".toByteArray())
            }
        }
    }

    companion object {
        fun start(): HalfServer {
            val server = HalfServer(ServerSocket(0, 50, InetAddress.getLoopbackAddress()))
            thread(isDaemon = true) { server.serve() }
            return server
        }
    }
}

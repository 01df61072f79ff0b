package dev.ratelimit.benchmarks.bandwidth

import java.io.IOException
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import kotlin.concurrent.thread

/** An HTTP server that answers `GET /<n>` with n bytes, as fast as the socket takes them, cheap beside the client that is measured. */
internal class BodyServer : AutoCloseable {
    private val socket = ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress())
    private val bytes = ByteArray(PIECE)

    init {
        thread(isDaemon = true, name = "body-server") {
            while (!socket.isClosed) {
                val connection = runCatching { socket.accept() }.getOrNull() ?: break
                thread(isDaemon = true, name = "body-server-connection") { connection.use(::serve) }
            }
        }
    }

    fun url(length: Long): String = "http://${socket.inetAddress.hostAddress}:${socket.localPort}/$length"

    private fun serve(connection: Socket) {
        val requests = connection.getInputStream().bufferedReader(Charsets.ISO_8859_1)
        val out = connection.getOutputStream()
        while (true) {
            val requestLine = requests.readLine() ?: return
            var header = requests.readLine()
            while (!header.isNullOrEmpty()) header = requests.readLine()
            var left = requestLine.substringAfter('/').substringBefore(' ').toLong()
            try {
                out.write("HTTP/1.1 200 OK\r\nContent-Length: $left\r\n\r\n".toByteArray())
                while (left > 0) {
                    val count = minOf(left, bytes.size.toLong()).toInt()
                    out.write(bytes, 0, count)
                    left -= count
                }
            } catch (_: IOException) {
                // The client has left.
                return
            }
        }
    }

    override fun close() = socket.close()

    private companion object {
        const val BACKLOG = 64
        const val PIECE = 256 * 1024
    }
}

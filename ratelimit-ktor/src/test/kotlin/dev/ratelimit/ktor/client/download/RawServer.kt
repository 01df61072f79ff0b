package dev.ratelimit.ktor.client.download

import java.io.IOException
import java.io.OutputStream
import java.net.InetAddress
import java.net.ServerSocket
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.concurrent.thread

/** A request as it stood on the wire; the names of headers in lower case. */
internal class RawRequest(
    lines: List<String>,
) {
    val path: String = lines.first().split(' ')[1]
    private val headers = lines.drop(1).associate { it.substringBefore(':').lowercase() to it.substringAfter(':').trim() }

    operator fun get(name: String): String? = headers[name]
}

/** A server that says what it is told to, byte by byte, and then hangs up: for answers that no decent server gives. */
internal class RawServer(
    private val answer: (RawRequest, OutputStream) -> Unit,
) : AutoCloseable {
    private val socket = ServerSocket(0, 50, InetAddress.getLoopbackAddress())
    val requests = CopyOnWriteArrayList<RawRequest>()
    val url = "http://127.0.0.1:${socket.localPort}/file.bin"

    init {
        thread(isDaemon = true) { serve() }
    }

    private fun serve() {
        while (!socket.isClosed) {
            val connection = runCatching { socket.accept() }.getOrNull() ?: return
            thread(isDaemon = true) {
                try {
                    connection.use {
                        val request = RawRequest(it.getInputStream().bufferedReader().lineSequence().takeWhile(String::isNotEmpty).toList())
                        requests += request
                        answer(request, it.getOutputStream())
                    }
                } catch (ignored: IOException) {
                    // The client has gone.
                }
            }
        }
    }

    override fun close() = socket.close()
}

/** The head of an answer whose connection ends with it. */
internal fun OutputStream.head(
    status: String,
    vararg headers: String,
) = write((listOf("HTTP/1.1 $status", *headers, "Connection: close").joinToString("\r\n") + "\r\n\r\n").toByteArray())

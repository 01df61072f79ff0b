package dev.ratelimit.jvm.redis.rig

import java.io.IOException
import java.net.Socket
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread

/** One connection through a [FaultProxy]: for each way a thread that reads and one that writes when it is time. */
internal class ProxyLink(
    private val proxy: FaultProxy,
    private val client: Socket,
    private val server: Socket,
) {
    private val requests = LinkedBlockingQueue<Chunk>()
    private val replies = LinkedBlockingQueue<Chunk>()

    @Volatile
    var hasLostBytes = false
        private set

    fun start() {
        listOf(client, server).forEach { it.tcpNoDelay = true }
        run("requests") { read(client, requests) { false } }
        run("replies") { read(server, replies, proxy::cutsReply) }
        run("to-server") { write(requests, server) }
        run("to-client") { write(replies, client) }
    }

    fun close() {
        proxy.forget(this)
        listOf(client, server).forEach { runCatching(it::close) }
        listOf(requests, replies).forEach { it.put(END) }
    }

    private fun run(
        name: String,
        work: () -> Unit,
    ) {
        thread(isDaemon = true, name = "fault-proxy-${proxy.port}-$name") {
            try {
                work()
            } catch (ignored: IOException) {
                // Either side went away.
                close()
            }
        }
    }

    private fun read(
        from: Socket,
        queue: LinkedBlockingQueue<Chunk>,
        isCut: () -> Boolean,
    ) {
        val buffer = ByteArray(BUFFER)
        val input = from.getInputStream()
        while (true) {
            val count = input.read(buffer)
            if (count < 0) break
            val mode = proxy.mode
            when {
                mode == FaultMode.Drop -> lose()
                hasLostBytes || isCut() -> close()
                else -> queue.put(Chunk(buffer.copyOf(count), dueAfter(mode)))
            }
        }
        // What came before the end still gets there.
        queue.put(Chunk(END.bytes, dueAfter(proxy.mode)))
    }

    private fun lose() {
        hasLostBytes = true
        if (proxy.mode != FaultMode.Drop) close()
    }

    private fun dueAfter(mode: FaultMode): Long = System.nanoTime() + if (mode is FaultMode.Delay) mode.eachWay.inWholeNanoseconds else 0

    private fun write(
        queue: LinkedBlockingQueue<Chunk>,
        to: Socket,
    ) {
        val output = to.getOutputStream()
        while (true) {
            val chunk = queue.take()
            if (chunk.bytes.isEmpty()) break
            TimeUnit.NANOSECONDS.sleep(chunk.due - System.nanoTime())
            output.write(chunk.bytes)
        }
        close()
    }

    private class Chunk(
        val bytes: ByteArray,
        val due: Long,
    )

    private companion object {
        const val BUFFER = 1 shl 16
        val END = Chunk(ByteArray(0), 0)
    }
}

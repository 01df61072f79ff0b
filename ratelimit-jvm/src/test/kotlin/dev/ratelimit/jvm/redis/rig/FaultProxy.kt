package dev.ratelimit.jvm.redis.rig

import java.io.IOException
import java.net.BindException
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread

/** A network that can be broken: stands in front of a server on a port of its own and passes bytes on, or not. */
internal class FaultProxy(
    private val targetPort: Int,
) : AutoCloseable {
    private val links = ConcurrentHashMap.newKeySet<ProxyLink>()
    private val allCuts = AtomicInteger()
    private val allAccepted = AtomicInteger()
    private var isOpen = true

    private var listener = listenSomewhere()

    val port: Int = listener.localPort

    val uri: String get() = "redis://${Ports.HOST}:$port"

    val connections: Int get() = links.size

    val accepted: Int get() = allAccepted.get()

    /** How often a reply was answered by closing the connection. */
    val cuts: Int get() = allCuts.get()

    @Volatile
    var mode: FaultMode = FaultMode.Pass
        @Synchronized set(value) {
            check(isOpen) { "the proxy is closed" }
            field = value
            if (value == FaultMode.Refuse) {
                listener.close()
            } else if (listener.isClosed) {
                listener = listen(port)
            }
            if (value != FaultMode.Drop) links.filter { it.hasLostBytes }.forEach(ProxyLink::close)
        }

    /** Both the client and the server see their connections close. */
    fun closeAll() = links.forEach(ProxyLink::close)

    @Synchronized
    override fun close() {
        isOpen = false
        listener.close()
        closeAll()
    }

    /** Whether the reply at hand is one to cut. */
    @Synchronized
    internal fun cutsReply(): Boolean {
        val isCut = mode == FaultMode.Cut || mode == FaultMode.CutOnce
        if (mode == FaultMode.CutOnce) mode = FaultMode.Pass
        if (isCut) allCuts.incrementAndGet()
        return isCut
    }

    internal fun forget(link: ProxyLink) {
        links -= link
    }

    private fun listenSomewhere(): ServerSocket {
        repeat(TRIES) {
            try {
                return listen(Ports.free())
            } catch (ignored: BindException) {
                // Somebody took it meanwhile.
            }
        }
        error("no port to listen on")
    }

    private fun listen(port: Int): ServerSocket {
        val socket = ServerSocket()
        socket.reuseAddress = true
        socket.bind(InetSocketAddress(Ports.HOST, port))
        thread(isDaemon = true, name = "fault-proxy-$port") { serve(socket) }
        return socket
    }

    private fun serve(socket: ServerSocket) {
        while (true) {
            val client =
                try {
                    socket.accept()
                } catch (ignored: IOException) {
                    return
                }
            connect(client, socket)
        }
    }

    private fun connect(
        client: Socket,
        listener: ServerSocket,
    ) {
        allAccepted.incrementAndGet()
        val server = Socket()
        try {
            server.connect(InetSocketAddress(Ports.HOST, targetPort), MILLIS_TO_CONNECT)
            val link = ProxyLink(this, client, server)
            links += link
            link.start()
            // Refused or closed meanwhile.
            if (listener.isClosed) link.close()
        } catch (ignored: IOException) {
            client.close()
            server.close()
        }
    }

    private companion object {
        const val TRIES = 5
        const val MILLIS_TO_CONNECT = 2_000
    }
}

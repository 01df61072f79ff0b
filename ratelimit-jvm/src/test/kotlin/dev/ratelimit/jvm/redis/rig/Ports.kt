package dev.ratelimit.jvm.redis.rig

import java.io.IOException
import java.net.InetSocketAddress
import java.net.ServerSocket
import kotlin.random.Random

/** Below what systems give to outgoing connections, so that the port of a killed server is still free when it comes back. */
internal object Ports {
    const val HOST = "127.0.0.1"
    private const val TRIES = 1_000

    /** Where a node of a cluster listens too, counted from its port. */
    private const val BUS = 10_000

    fun free(): Int = generateSequence { Random.nextInt(11_000, 22_000) }.take(TRIES).first { isFree(it) && isFree(it + BUS) }

    private fun isFree(port: Int): Boolean =
        try {
            ServerSocket().use { it.bind(InetSocketAddress(HOST, port)) }
            true
        } catch (ignored: IOException) {
            false
        }
}

package dev.ratelimit.ktor.client

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.matchers.string.shouldContain
import io.lettuce.core.RedisClient
import io.lettuce.core.api.sync.RedisCommands
import io.lettuce.core.cluster.SlotHash
import java.io.File
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.ServerSocket
import kotlin.random.Random
import kotlin.time.Duration.Companion.seconds

/** A Redis Cluster of the test's own, of three masters with a third of the slots each; see [withRedis]. */
internal suspend fun withCluster(
    dir: File,
    test: suspend (url: String) -> Unit,
) = withNodes(dir, emptyList()) { ports ->
    ports.forEachIndexed { i, port ->
        val slots = SlotHash.SLOT_COUNT * i / NODES until SlotHash.SLOT_COUNT * (i + 1) / NODES
        ask(port) {
            it.clusterAddSlots(*slots.toList().toIntArray())
            it.clusterSetConfigEpoch(i + 1L)
        }
    }
    ask(ports[0]) { first -> ports.drop(1).forEach { first.clusterMeet("127.0.0.1", it) } }
    eventually(30.seconds) {
        ports.forEach { port ->
            val info = ask(port) { it.clusterInfo() }
            info shouldContain "cluster_state:ok"
            info shouldContain "cluster_known_nodes:$NODES"
        }
    }
    test("redis://127.0.0.1:${ports[0]}")
}

private suspend fun withNodes(
    dir: File,
    ports: List<Int>,
    test: suspend (ports: List<Int>) -> Unit,
) {
    if (ports.size == NODES) return test(ports)
    val port = freePort()
    val own = File(dir, "$port").also { it.mkdirs() }
    withRedis(own, port, "--cluster-enabled", "yes", "--cluster-node-timeout", "1000") { withNodes(dir, ports + port, test) }
}

private fun <T> ask(
    port: Int,
    question: (RedisCommands<String, String>) -> T,
): T {
    val client = RedisClient.create("redis://127.0.0.1:$port")
    try {
        return client.connect().use { question(it.sync()) }
    } finally {
        client.shutdown()
    }
}

/** One whose port for the other nodes is free too. */
private fun freePort() = generateSequence { Random.nextInt(11_000, 22_000) }.first { isFree(it) && isFree(it + BUS) }

private fun isFree(port: Int) =
    runCatching { ServerSocket().use { it.bind(InetSocketAddress(InetAddress.getLoopbackAddress(), port)) } }.isSuccess

private const val NODES = 3
private const val BUS = 10_000

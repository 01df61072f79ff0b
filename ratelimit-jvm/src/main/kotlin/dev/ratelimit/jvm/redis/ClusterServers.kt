package dev.ratelimit.jvm.redis

import dev.ratelimit.jvm.store.Timer
import dev.ratelimit.jvm.store.unwrapped
import io.lettuce.core.RedisURI
import io.lettuce.core.cluster.RedisClusterClient
import io.lettuce.core.cluster.SlotHash
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicLong

/**
 * The masters of a Redis Cluster. Lettuce tells who holds which slot; each master has a circuit of its own, so one that is away
 * does not take the others with it. A slot that has moved is followed to where it is; what was refused for that was not done, so it may
 * be sent again.
 *
 * @param nodeAt makes the node at an address
 */
internal class ClusterServers(
    private val client: RedisClusterClient,
    private val nodeAt: (RedisURI) -> Node,
    private val onClose: () -> Unit,
) : Servers {
    private val nodes = ConcurrentHashMap<String, Node>()
    private val refreshedAt = AtomicLong(System.nanoTime())

    override val slots: Int get() = SlotHash.SLOT_COUNT

    override fun slotOf(key: String): Int = SlotHash.getSlot(key)

    override fun tagOf(slot: Int): String = Tags.of(slot)

    /** A master that can be asked, once each has been tried; or why none can. */
    fun opened(): CompletableFuture<Link> {
        val all = client.partitions.filter { it.slots.isNotEmpty() }.map { nodeOf(it.uri).opened }
        if (all.isEmpty()) return CompletableFuture.failedFuture(Reasons.explained("the cluster", IllegalStateException("no master")))
        val tried = all.map { it.handle { _, _ -> } }.toTypedArray()
        return CompletableFuture.allOf(*tried).thenCompose { all.firstOrNull { !it.isCompletedExceptionally } ?: all.first() }
    }

    override fun <T> call(
        slot: Int,
        action: (Link, Boolean) -> CompletionStage<T>,
    ): CompletionStage<T> {
        val node =
            masterOf(slot) ?: return CompletableFuture.failedFuture(Reasons.explained("slot $slot", IllegalStateException("no master")))
        if (node.isAway) refresh()
        return following(node, false, action, MOST_REDIRECTIONS)
    }

    private fun <T> following(
        node: Node,
        isAsking: Boolean,
        action: (Link, Boolean) -> CompletionStage<T>,
        left: Int,
    ): CompletionStage<T> =
        node
            .call { action(it, isAsking) }
            .handle { answer, failure ->
                val redirection = failure.unwrapped()?.message?.let(Redirection::parse)
                when {
                    failure == null -> CompletableFuture.completedFuture(answer)
                    redirection == null || left == 0 -> CompletableFuture.failedFuture(failure.unwrapped())
                    else -> {
                        if (!redirection.isOnce) refresh()
                        val target = redirection.address?.let(::nodeOf) ?: node
                        pause(redirection).thenCompose { following(target, redirection.isOnce && target !== node, action, left - 1) }
                    }
                }
            }.thenCompose { it }

    /** Keys of one slot are on both sides while it moves: a moment later they are not. */
    private fun pause(redirection: Redirection): CompletableFuture<Unit> {
        val done = CompletableFuture<Unit>()
        if (redirection.address != null) done.complete(Unit) else Timer.after(PAUSE) { done.complete(Unit) }
        return done
    }

    private fun masterOf(slot: Int): Node? {
        val partition = client.partitions.getMasterBySlot(slot)
        if (partition == null) refresh()
        return partition?.let { nodeOf(it.uri) }
    }

    private fun nodeOf(uri: RedisURI): Node = nodes.computeIfAbsent("${uri.host}:${uri.port}") { nodeAt(uri) }

    private fun nodeOf(address: String): Node =
        nodes[address] ?: run {
            val any = client.partitions.first().uri
            val host = address.substringBeforeLast(':').ifEmpty { any.host }
            nodeOf(RedisURI.builder(any).withHost(host).withPort(address.substringAfterLast(':').toInt()).build())
        }

    /** Asks the cluster who holds which slot, now and then. */
    private fun refresh() {
        val last = refreshedAt.get()
        val now = System.nanoTime()
        if (now - last < BETWEEN_REFRESHES || !refreshedAt.compareAndSet(last, now)) return
        client.refreshPartitionsAsync().whenComplete { _, _ -> forget() }
    }

    /** Nodes that are no masters any more, and away, are not tried for ever. */
    private fun forget() {
        val known = client.partitions.map { "${it.uri.host}:${it.uri.port}" }.toSet()
        nodes.entries.removeIf { (address, node) -> (address !in known && node.isAway).also { if (it) node.close() } }
    }

    override fun look() = nodes.values.forEach { it.look() }

    override fun close() {
        CompletableFuture.allOf(*nodes.values.map { it.close() }.toTypedArray()).whenComplete { _, _ -> onClose() }
    }

    private companion object {
        const val MOST_REDIRECTIONS = 5
        const val PAUSE = 20_000_000L
        const val BETWEEN_REFRESHES = 300_000_000L
    }
}

/** Where a server of a cluster says that a slot is. */
internal class Redirection private constructor(
    val isOnce: Boolean,
    val address: String?,
) {
    companion object {
        /** `MOVED 3999 127.0.0.1:6381`, `ASK 3999 127.0.0.1:6381` or `TRYAGAIN …`; null for other errors. */
        fun parse(error: String): Redirection? {
            val words = error.split(' ')
            return when (words[0]) {
                "MOVED" -> Redirection(false, words.getOrNull(2))
                "ASK" -> Redirection(true, words.getOrNull(2))
                "TRYAGAIN" -> Redirection(true, null)
                else -> null
            }
        }
    }
}

/** For each slot of a cluster a number whose digits hash to it. */
private object Tags {
    private val tags: Array<String> by lazy {
        val found = arrayOfNulls<String>(SlotHash.SLOT_COUNT)
        var left = found.size
        var number = 0
        while (left > 0) {
            val text = number++.toString()
            val slot = SlotHash.getSlot(text)
            if (found[slot] == null) {
                found[slot] = text
                left--
            }
        }
        found.requireNoNulls()
    }

    fun of(slot: Int): String = tags[slot]
}

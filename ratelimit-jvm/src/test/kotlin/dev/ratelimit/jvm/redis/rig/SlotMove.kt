package dev.ratelimit.jvm.redis.rig

import io.lettuce.core.MigrateArgs

/** A slot on its way from one master to another, as `redis-cli --cluster reshard` does it, with time between the steps. */
internal class SlotMove(
    private val cluster: RedisCluster,
    val slot: Int,
    val from: RedisServer,
    val to: RedisServer,
) {
    /** From now on the old owner answers ASK for keys that it does not have. */
    fun begin() {
        val (oldId, newId) = listOf(from, to).map(cluster::idOf)
        to.ask { clusterSetSlotImporting(slot, oldId) }
        from.ask { clusterSetSlotMigrating(slot, newId) }
    }

    /** How many keys went over: all, or as many as are wanted. */
    fun moveKeys(most: Int = Int.MAX_VALUE): Int {
        var moved = 0
        while (moved < most) {
            val keys = from.ask { clusterGetKeysInSlot(slot, minOf(BATCH, most - moved)) }
            if (keys.isEmpty()) break
            from.ask { migrate(Ports.HOST, to.port, 0, MILLIS, MigrateArgs.Builder.keys(keys).replace()) }
            moved += keys.size
        }
        return moved
    }

    /** From now on the old owner answers MOVED. The new one is told first, so that somebody owns the slot at each moment. */
    fun finish() {
        val newId = cluster.idOf(to)
        val others = cluster.masters.filter { it !== to && it !== from && it.isAlive }
        (listOf(to, from) + others).forEach { it.ask { clusterSetSlotNode(slot, newId) } }
        cluster.awaitOwner(slot, to)
    }

    private companion object {
        const val BATCH = 100
        const val MILLIS = 5_000L
    }
}

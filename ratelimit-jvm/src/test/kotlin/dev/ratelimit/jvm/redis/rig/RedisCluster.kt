package dev.ratelimit.jvm.redis.rig

import io.lettuce.core.cluster.SlotHash
import io.lettuce.core.cluster.models.partitions.ClusterPartitionParser
import io.lettuce.core.cluster.models.partitions.Partitions
import kotlin.time.Duration.Companion.seconds

/** Three masters, each with a third of the slots, and a replica each if wanted. */
internal class RedisCluster(
    vararg options: String,
    withReplicas: Boolean = false,
    binary: String = RedisBinaries.default,
) : AutoCloseable {
    private val ofServers = arrayOf(*OPTIONS, *options)

    /** The first masters, in the order of their slots; see [masters]. */
    val founders: List<RedisServer> = List(MASTERS) { RedisServer(*ofServers, binary = binary) }

    private val heirs = if (withReplicas) founders.map { RedisServer(*ofServers, binary = binary) } else emptyList()

    val servers: List<RedisServer> = founders + heirs

    val uri: String get() = servers.first { it.isAlive }.uri

    init {
        form()
    }

    /** Who owns slots now, as a living node sees it. */
    val masters: List<RedisServer> get() = view().filter { it.slots.isNotEmpty() }.map { serverAt(it.uri.port) }

    fun idOf(server: RedisServer): String = server.ask { clusterMyId() }

    fun ownerOf(slot: Int): RedisServer = serverAt(view().getPartitionBySlot(slot).uri.port)

    fun ownerOf(key: String): RedisServer = ownerOf(SlotHash.getSlot(key))

    /** Step by step; [migrating] and [emptied] run where a resharding tool would be between two commands. */
    fun moveSlot(
        slot: Int,
        from: RedisServer,
        to: RedisServer,
        migrating: (SlotMove) -> Unit = {},
        emptied: (SlotMove) -> Unit = {},
    ) {
        val move = SlotMove(this, slot, from, to)
        move.begin()
        migrating(move)
        move.moveKeys()
        emptied(move)
        move.finish()
    }

    /** Kills a master; the answer is its replica, once all others take it for the owner of the slots. */
    fun failover(master: RedisServer): RedisServer {
        val slot = view().first { it.uri.port == master.port }.slots.first()
        master.kill()
        awaitThat("a replica that takes over from ${master.port}", 30.seconds) {
            val owners = living().map { ownerOf(slot, it) }.distinct()
            owners.size == 1 && owners.single() != master.port && living().all(::isHealthy)
        }
        return ownerOf(slot)
    }

    /** All living nodes name this owner. */
    fun awaitOwner(
        slot: Int,
        owner: RedisServer,
    ) = awaitThat("all nodes name ${owner.port} for slot $slot") { living().all { ownerOf(slot, it) == owner.port } }

    /** After a restart or a change of mind: every living node sees a whole cluster. */
    fun awaitHealthy() = awaitThat("a healthy cluster", 30.seconds) { living().all(::isHealthy) }

    override fun close() = servers.forEach(AutoCloseable::close)

    private fun form() {
        founders.forEachIndexed { i, server ->
            val slots = SlotHash.SLOT_COUNT * i / MASTERS until SlotHash.SLOT_COUNT * (i + 1) / MASTERS
            server.ask {
                clusterAddSlots(*slots.toList().toIntArray())
                clusterSetConfigEpoch(i + 1L)
            }
        }
        servers.first().ask { servers.drop(1).forEach { clusterMeet(Ports.HOST, it.port) } }
        awaitThat("nodes that know each other", 30.seconds) {
            servers.all { server -> server.ask { clusterInfo() }.field("cluster_known_nodes") == "${servers.size}" }
        }
        heirs.zip(founders).forEach { (heir, founder) -> heir.ask { clusterReplicate(idOf(founder)) } }
        awaitHealthy()
        awaitThat("replicas in sync", 30.seconds) { heirs.all { it.ask { info("replication") }.field("master_link_status") == "up" } }
    }

    private fun isHealthy(server: RedisServer): Boolean {
        val info = server.ask { clusterInfo() }
        return info.field("cluster_state") == "ok" && info.field("cluster_slots_ok") == "${SlotHash.SLOT_COUNT}"
    }

    private fun living() = servers.filter { it.isAlive }

    private fun view(of: RedisServer = living().first()): Partitions = ClusterPartitionParser.parse(of.ask { clusterNodes() })

    private fun ownerOf(
        slot: Int,
        inTheEyesOf: RedisServer,
    ): Int? = view(inTheEyesOf).getPartitionBySlot(slot)?.uri?.port

    private fun serverAt(port: Int) = servers.single { it.port == port }

    private companion object {
        const val MASTERS = 3
        val OPTIONS =
            arrayOf(
                *arrayOf("--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-announce-ip", Ports.HOST),
                *arrayOf("--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0"),
            )
    }
}

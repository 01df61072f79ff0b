package dev.ratelimit.jvm.redis.rig

import kotlin.time.Duration.Companion.seconds

/** A master with two replicas in sync, watched by one or three sentinels. */
internal class RedisSentinels(
    sentinels: Int = 1,
    vararg options: String,
    binary: String = RedisBinaries.default,
) : AutoCloseable {
    /** Diskless without its default delay of 5 s. */
    private val ofServers = options.toList() + listOf("--repl-diskless-sync-delay", "0")
    private val first = RedisServer(*ofServers.toTypedArray(), binary = binary)
    private val followers =
        List(REPLICAS) { RedisServer(*(ofServers + listOf("--replicaof", Ports.HOST, "${first.port}")).toTypedArray(), binary = binary) }

    val servers: List<RedisServer> = listOf(first) + followers

    /** Started after the sync, as a sentinel asks a master for its replicas at once, and then only every 10 s. */
    val sentinels: List<Sentinel> =
        run {
            awaitThat("replicas in sync with their master") { inSync(first) }
            List(sentinels) { Sentinel(NAME, first.port, quorum = sentinels / 2 + 1, binary) }
        }

    val uri: String = "redis-sentinel://${this.sentinels.joinToString(",") { "${Ports.HOST}:${it.port}" }}#$NAME"

    init {
        awaitKnown()
    }

    /** Who the sentinels say it is. */
    val master: RedisServer get() = sentinels.first().masterPort.let { port -> servers.single { it.port == port } }

    val replicas: List<RedisServer> get() = master.let { master -> servers.filter { it.isAlive && it !== master } }

    /** Kills the master; the answer is its heir. */
    fun failover(): RedisServer = master.let { old -> heirOf(old, old::kill) }

    /** The master lives on as a replica of its heir. */
    fun switchOver(): RedisServer {
        val old = master
        val heir =
            heirOf(old) {
                awaitThat("a sentinel that begins the failover") {
                    sentinels.first().failover()
                    true
                }
            }
        awaitThat("the old master as a replica") { inSync(heir) }
        return heir
    }

    /** The dead come back as replicas, so that there can be another failover. */
    fun heal() {
        val master = master
        servers.filterNot { it.isAlive }.forEach { dead ->
            dead.restart()
            dead.ask { replicaof(Ports.HOST, master.port) }
        }
        awaitThat("replicas in sync again") { inSync(master) }
        awaitKnown()
    }

    override fun close() = (sentinels + servers).forEach(AutoCloseable::close)

    private fun heirOf(
        old: RedisServer,
        topple: () -> Unit,
    ): RedisServer {
        topple()
        awaitThat("another master than ${old.port}", 30.seconds) {
            val ports = sentinels.map { it.masterPort }.distinct()
            ports.size == 1 && ports.single() != old.port && master.ask { info("replication") }.field("role") == "master"
        }
        return master
    }

    private fun inSync(master: RedisServer): Boolean {
        val others = servers.filter { it !== master && it.isAlive }
        val online = master.ask { info("replication") }.lineSequence().count { ",state=online," in it }
        return online == others.size && others.all { it.followsAndIsLinked(master) }
    }

    private fun RedisServer.followsAndIsLinked(master: RedisServer): Boolean {
        val info = ask { info("replication") }
        return info.field("master_port") == "${master.port}" && info.field("master_link_status") == "up"
    }

    private fun awaitKnown() = awaitThat("sentinels that know each other and the replicas", 30.seconds) {
        sentinels.all { it.knows(sentinels.size, REPLICAS) }
    }

    private companion object {
        const val NAME = "the-master"
        const val REPLICAS = 2
    }
}

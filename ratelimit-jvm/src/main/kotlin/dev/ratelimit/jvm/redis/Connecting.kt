package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.store.unwrapped
import io.lettuce.core.RedisClient
import io.lettuce.core.RedisURI
import io.lettuce.core.cluster.RedisClusterClient
import io.lettuce.core.protocol.CommandType
import java.io.IOException
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException

/** Finds the servers of a store, and refuses what can never work before anything is asked. */
internal class Connecting(
    private val settings: Settings,
) {
    private val making = Making()

    fun to(uri: String): Servers = made(serversAt(uri))

    private fun made(servers: Servers) = servers.also { making.isOver() }

    private fun serversAt(uri: String): Servers {
        val address = parsed(uri)
        val client = RedisClient.create().apply { options = Connector.options() }
        val server = OneServer(node(nameOf(address), Connector.of(client, address), writing)) { client.shutdownAsync() }
        val isCluster = opening(server) { inspected(server.node)?.contains("redis_mode:cluster") == true }
        if (!isCluster) return server
        server.close()
        val cluster = RedisClusterClient.create(address)
        return opening(cluster(cluster, address) { cluster.shutdownAsync() })
    }

    fun on(client: RedisClient): Servers {
        val server = OneServer(node("the address of the RedisClient", Connector.of(client), writing)) {}
        opening(server) {
            require(inspected(server.node)?.contains("redis_mode:cluster") != true) {
                "the RedisClient is connected to a Redis Cluster; give the store a RedisClusterClient"
            }
        }
        return made(server)
    }

    fun on(client: RedisClusterClient): Servers = made(opening(cluster(client, firstUri(client)) {}))

    private fun cluster(
        client: RedisClusterClient,
        given: RedisURI?,
        onClose: () -> Unit,
    ): ClusterServers {
        // Connections to the masters, with the user's options but for those that replay.
        val nodes = RedisClient.create(client.resources).apply { options = Connector.options(client.options) }
        val connector = { uri: RedisURI -> Connector.of(nodes, alike(given ?: uri, uri)) }
        return ClusterServers(client, { uri -> node(nameOf(uri), connector(uri), answering) }) {
            nodes.shutdownAsync()
            onClose()
        }
    }

    private fun opening(servers: ClusterServers): Servers =
        opening(servers) {
            waited("the cluster", servers.opened().thenCompose(::info))?.let(::checkVersion)
            servers
        }

    @Suppress("TooGenericExceptionCaught")
    private fun <T> opening(
        servers: Servers,
        action: () -> T,
    ): T =
        try {
            action()
        } catch (e: Throwable) {
            servers.close()
            throw e.asStoreException()
        }

    private fun Throwable.asStoreException() =
        if (this is RateLimitStoreException || this is IllegalArgumentException) this else Reasons.explained("the given address", this)

    private fun node(
        name: String,
        connector: Connector,
        check: Node.Check,
    ) = Node(name, connector, settings.deadlineNanos, settings.connectTimeoutNanos, Outage(name, settings.listener, making), check)

    /** What the server says of itself; null when it is away and may be. */
    private fun inspected(node: Node): String? {
        val link = waited(node.name, node.opened) ?: return null
        return waited(node.name, info(link).toCompletableFuture())?.also(::checkVersion)
    }

    /** Those who may not ask INFO are not checked. */
    private fun info(link: Link): CompletionStage<String> =
        link.ask(CommandType.INFO, "server").exceptionally { failure ->
            if (failure.unwrapped()?.message.orEmpty().startsWith("NOPERM")) "" else throw failure
        }

    private fun checkVersion(info: String) {
        val version = info.lineSequence().firstOrNull { it.startsWith("redis_version:") }?.substringAfter(':')?.trim() ?: return
        val (major, minor) = version.split('.').mapNotNull { it.toIntOrNull() } + listOf(0, 0)
        if (major < OLDEST_MAJOR || (major == OLDEST_MAJOR && minor < OLDEST_MINOR)) {
            throw RateLimitStoreException("the server is Redis $version; the store needs Redis 6.2 or later, or Valkey", null)
        }
    }

    private fun <T> waited(
        server: String,
        future: CompletableFuture<T>,
    ): T? =
        try {
            future.get(settings.connectTimeoutNanos, TimeUnit.NANOSECONDS)
        } catch (e: TimeoutException) {
            absent(
                RateLimitStoreException("Redis at $server does not answer; check host and port, and whether it speaks TLS (rediss://)", e),
            )
        } catch (e: InterruptedException) {
            Thread.currentThread().interrupt()
            throw RateLimitStoreException("interrupted while connecting to Redis at $server", e)
        } catch (e: ExecutionException) {
            val cause = e.cause ?: e
            absent(cause as? RateLimitStoreException ?: Reasons.explained(server, cause))
        }

    private fun absent(cause: RateLimitStoreException): Nothing? {
        val isAway =
            cause.cause == null || generateSequence<Throwable>(cause) { it.cause }.any { it is IOException || it is TimeoutException }
        if (settings.mayStartAway && isAway) return null
        throw cause
    }

    /** A server that only reads must not be mistaken for a master. */
    private val writing =
        Node.Check(isProof = true) { link ->
            val probe = Request(Operation.RESET, listOf(Item("${settings.keyPrefix}{probe}:0", null, 0)), Long.MAX_VALUE, 0, {}, {})
            link.run(Script.LISTS, ListBatch(null, null).apply { add(probe) }::arguments, ::LongsOutput)
        }

    /** No key would be at home at each master of a cluster, and without one it also answers while it does not serve. */
    private val answering =
        Node.Check(isProof = false) { it.run(Script.LISTS, ListBatch(null, null)::arguments, ::LongsOutput) }

    private companion object {
        const val OLDEST_MAJOR = 6
        const val OLDEST_MINOR = 2

        fun parsed(uri: String): RedisURI =
            try {
                RedisURI.create(uri).apply {
                    timeout = Connector.ATTEMPT
                    // A port that is no number is taken for a part of the host.
                    require(host == null || host.count { it == ':' } != 1)
                }
            } catch (ignored: IllegalArgumentException) {
                // Neither the text nor the reason is repeated: the password is in there.
                throw IllegalArgumentException(
                    "the URI of Redis cannot be read; write redis://user:password@host:6379/0, rediss:// for TLS, " +
                        "or redis-sentinel://host:26379,host:26379/0#master",
                )
            }

        /** The masters that Lettuce has found have neither user nor TLS; all nodes of a cluster go by what the first is asked with. */
        fun alike(
            given: RedisURI,
            found: RedisURI,
        ): RedisURI =
            RedisURI
                .builder(given)
                .withHost(found.host)
                .withPort(found.port)
                .build()

        /** What a user's client was made with: Lettuce tells it to nobody but itself. */
        fun firstUri(client: RedisClusterClient): RedisURI? =
            runCatching {
                val getter = RedisClusterClient::class.java.getDeclaredMethod("getFirstUri").apply { isAccessible = true }
                getter.invoke(client) as RedisURI
            }.getOrNull()

        fun nameOf(uri: RedisURI): String =
            when {
                uri.sentinels.isNotEmpty() -> uri.sentinels.joinToString(",", "Sentinel ", " (${uri.sentinelMasterId})") {
                    "${it.host}:${it.port}"
                }
                uri.socket != null -> uri.socket
                else -> "${uri.host}:${uri.port}"
            }
    }
}

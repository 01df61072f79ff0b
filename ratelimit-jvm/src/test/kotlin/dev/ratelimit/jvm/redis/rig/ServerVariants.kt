package dev.ratelimit.jvm.redis.rig

import org.slf4j.LoggerFactory
import org.testcontainers.DockerClientFactory
import org.testcontainers.containers.GenericContainer
import org.testcontainers.images.RemoteDockerImage
import org.testcontainers.utility.DockerImageName

/** A kind of server that the store has to work with. */
internal class ServerVariant(
    val name: String,
    val start: () -> TestServer,
)

/** Those that can be had here; a log line tells which cannot. */
internal object ServerVariants {
    private const val IMAGE = "docker.io/valkey/valkey:8"
    private const val PORT = 6379
    private val log = LoggerFactory.getLogger(ServerVariants::class.java)

    val all: List<ServerVariant> by lazy {
        listOfNotNull(ServerVariant("Redis 7") { RedisServer() }, oldest(), valkeyOnPath(), valkeyInDocker())
    }

    private fun oldest(): ServerVariant? {
        val binary = RedisBinaries.of("6.2") ?: return absent("Redis 6.2: no binary of it for this platform")
        return ServerVariant("Redis 6.2") { RedisServer(binary = binary) }
    }

    private fun valkeyOnPath(): ServerVariant? {
        val binary = RedisBinaries.onPath("valkey-server") ?: return absent("Valkey: no valkey-server on the PATH")
        return ServerVariant("Valkey") { RedisServer(binary = binary) }
    }

    private fun valkeyInDocker(): ServerVariant? {
        if (!DockerClientFactory.instance().isDockerAvailable) return absent("$IMAGE: no Docker runs")
        val image = DockerImageName.parse(IMAGE)
        runCatching { RemoteDockerImage(image).get() }.onFailure { return absent("$IMAGE: Docker cannot get it: $it") }
        return ServerVariant("Valkey 8 in Docker") { Container(image) }
    }

    private fun absent(what: String): ServerVariant? {
        log.warn("not tested with {}", what)
        return null
    }

    private class Container(
        image: DockerImageName,
    ) : TestServer {
        private val container = GenericContainer(image).withExposedPorts(PORT).apply { start() }

        override val uri: String get() = "redis://${container.host}:${container.getMappedPort(PORT)}"

        override fun close() = container.stop()
    }
}

package dev.ratelimit.benchmarks.redis

import io.lettuce.core.RedisClient

/** What all contestants share: the server, and Lettuce's client with its defaults. Each takes one connection from it. */
internal class Field : AutoCloseable {
    val server = OwnRedis()
    val client: RedisClient = RedisClient.create(server.uri)

    /** Empties the server. */
    fun forget() {
        client.connect().use { it.sync().flushall() }
    }

    override fun close() {
        client.shutdown()
        server.close()
    }
}

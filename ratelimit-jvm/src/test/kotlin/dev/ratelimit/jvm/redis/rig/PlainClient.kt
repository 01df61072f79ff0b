package dev.ratelimit.jvm.redis.rig

import io.lettuce.core.ClientOptions
import io.lettuce.core.RedisClient
import io.lettuce.core.RedisURI
import io.lettuce.core.api.StatefulRedisConnection
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toJavaDuration

/** A connection that does not come back by itself, so that a test of a rig sees what the rig did to it. */
internal fun <T> connected(
    uri: String,
    timeout: Duration = 5.seconds,
    reconnect: Boolean = false,
    use: (StatefulRedisConnection<String, String>) -> T,
): T {
    val client = RedisClient.create(RedisURI.create(uri).apply { this.timeout = timeout.toJavaDuration() })
    client.options = ClientOptions.builder().autoReconnect(reconnect).build()
    return client.use { client.connect().use(use) }
}

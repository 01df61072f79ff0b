package dev.ratelimit.jvm.redis.rig

import io.lettuce.core.ClientOptions
import io.lettuce.core.RedisClient
import io.lettuce.core.RedisURI
import io.lettuce.core.api.sync.RedisCommands
import io.lettuce.core.sentinel.api.sync.RedisSentinelCommands
import java.time.Duration

/** How rigs talk to their own servers: each question on a fresh connection, so that no old one hides what happened. */
internal object Admin {
    private val client: RedisClient by lazy {
        RedisClient.create().apply { options = ClientOptions.builder().autoReconnect(false).build() }
    }

    fun <T> ask(
        port: Int,
        question: RedisCommands<String, String>.() -> T,
    ): T = client.connect(uri(port)).use { it.sync().question() }

    fun <T> askSentinel(
        port: Int,
        question: RedisSentinelCommands<String, String>.() -> T,
    ): T = client.connectSentinel(uri(port)).use { it.sync().question() }

    private fun uri(port: Int): RedisURI =
        RedisURI
            .builder()
            .withHost(Ports.HOST)
            .withPort(port)
            .withTimeout(Duration.ofSeconds(2))
            .build()
}

internal fun <T> RedisServer.ask(question: RedisCommands<String, String>.() -> T): T = Admin.ask(port, question)

/** One line of INFO or CLUSTER INFO. */
internal fun String.field(name: String): String? = lineSequence().firstOrNull { it.startsWith("$name:") }?.substringAfter(':')?.trim()

package dev.ratelimit.jvm.redis

import io.lettuce.core.ClientOptions
import io.lettuce.core.RedisClient
import io.lettuce.core.RedisURI
import io.lettuce.core.SocketOptions
import io.lettuce.core.TimeoutOptions
import io.lettuce.core.api.StatefulRedisConnection
import io.lettuce.core.codec.StringCodec
import java.time.Duration
import java.util.concurrent.CompletableFuture
import kotlin.concurrent.thread

/** Opens connections to one server, or to whichever Sentinel names as the master. */
internal fun interface Connector {
    fun open(): CompletableFuture<Link>

    companion object {
        /** Connections of the store's own client. */
        fun of(
            client: RedisClient,
            uri: RedisURI,
        ) = Connector { client.connectAsync(StringCodec.UTF8, uri).toCompletableFuture().thenApply(::Link) }

        /** Connections as the user has configured them; that client opens them while its caller waits. */
        fun of(client: RedisClient) =
            Connector {
                val opened = CompletableFuture<Link>()
                thread(name = "ratelimit-redis-connect", isDaemon = true) { complete(opened) { client.connect(StringCodec.UTF8) } }
                opened
            }

        @Suppress("TooGenericExceptionCaught")
        private fun complete(
            opened: CompletableFuture<Link>,
            connect: () -> StatefulRedisConnection<String, String>,
        ) {
            try {
                opened.complete(Link(connect()))
            } catch (e: Throwable) {
                opened.completeExceptionally(e)
            }
        }

        /**
         * A lost connection is never used again, and what was under way on it is never sent again. The store has its own deadline, and
         * uses for answers that come after it, so Lettuce must not forget the question.
         */
        fun options(from: ClientOptions): ClientOptions =
            from
                .mutate()
                .autoReconnect(false)
                .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
                .timeoutOptions(TimeoutOptions.builder().timeoutCommands(false).build())
                .socketOptions(from.socketOptions.mutate().connectTimeout(ATTEMPT).tcpNoDelay(true).build())
                .build()

        fun options(): ClientOptions = options(ClientOptions.builder().socketOptions(SocketOptions.create()).build())

        /** How long an attempt to connect may take, before another is made. */
        val ATTEMPT: Duration = Duration.ofSeconds(1)
    }
}

package dev.ratelimit.benchmarks.redis

import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.spi.RateLimitStore

/** How this library's store is made: with a connection of its own, and every default. */
internal object Ours {
    fun store(
        field: Field,
        keyPrefix: String,
    ): RateLimitStore = RedisStore.builder().keyPrefix(keyPrefix).connect(field.server.uri)
}

package dev.ratelimit.benchmarks.redis

import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.spi.RateLimitStore
import io.lettuce.core.RedisClient

/** How this library's store is made: the only place that knows. */
internal object Ours {
    /** Until the store has a public builder, its internal factory, by reflection. */
    fun store(
        field: Field,
        keyPrefix: String,
    ): RateLimitStore {
        val now: () -> Long? = { null }
        return RedisStore.Companion::class.java.methods
            .single { it.name.startsWith("on$") && it.parameterTypes.firstOrNull() == RedisClient::class.java }
            .invoke(RedisStore.Companion, field.client, keyPrefix, now) as RateLimitStore
    }
}

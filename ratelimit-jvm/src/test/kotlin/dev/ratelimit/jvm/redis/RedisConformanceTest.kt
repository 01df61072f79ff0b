package dev.ratelimit.jvm.redis

import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.conformance.RateLimitStoreConformance
import dev.ratelimit.jvm.conformance.StoreFixture
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.spi.RateLimitStore
import io.lettuce.core.RedisClient
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds

/** The store's rules on a real server, by instants that the test sends along. */
internal class RedisConformanceTest : RateLimitStoreConformance({ RedisFixture() })

private class RedisFixture : StoreFixture {
    private val micros = AtomicLong(1_795_262_399_987_654)

    override val store: RateLimitStore =
        RedisStore(client, Settings(keyPrefix = "kit-${stores.incrementAndGet()}:", policy = FailurePolicy.raise(), now = micros::get))

    override val resolution: Duration get() = 1.microseconds

    override fun advance(time: Duration) {
        micros.addAndGet(time.inWholeMicroseconds)
    }

    private companion object {
        val stores = AtomicInteger()
        val server = RedisServer()
        val client: RedisClient = RedisClient.create(server.uri)
    }
}

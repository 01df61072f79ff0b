package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.conformance.RateLimitStoreConformance
import dev.ratelimit.jvm.conformance.StoreFixture
import dev.ratelimit.jvm.redis.RedisKeys
import dev.ratelimit.jvm.redis.Settings
import dev.ratelimit.jvm.redis.rig.RedisCluster
import dev.ratelimit.jvm.redis.rig.RedisSentinels
import dev.ratelimit.jvm.redis.rig.ServerVariants
import dev.ratelimit.spi.RateLimitStore
import io.kotest.core.annotation.Condition
import io.kotest.core.annotation.EnabledIf
import io.kotest.core.spec.Spec
import io.lettuce.core.RedisClient
import io.lettuce.core.cluster.RedisClusterClient
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicLong
import kotlin.reflect.KClass
import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds

/** A store on servers that all tests of a class share, by instants that the test sends along. */
internal class ServerFixture(
    open: (Settings, RedisKeys) -> RedisStore,
) : StoreFixture {
    private val micros = AtomicLong(1_795_262_399_987_654)

    override val store: RateLimitStore =
        open(
            Settings(
                deadlineNanos = 10_000_000_000,
                policy = FailurePolicy.raise(),
                now = micros::get,
            ),
            // One slot for all, as the kit's lists have keys that a Cluster could not charge together.
            RedisKeys("kit-{${stores.incrementAndGet()}}:"),
        )

    override val resolution: Duration get() = 1.microseconds

    override fun advance(time: Duration) {
        micros.addAndGet(time.inWholeMicroseconds)
    }

    private companion object {
        val stores = AtomicInteger()
    }
}

/** The store's rules where Sentinel names the master. */
internal class SentinelConformanceTest :
    RateLimitStoreConformance({ ServerFixture { settings, keys -> RedisStore(client, settings, keys) } }) {
    private companion object {
        val client: RedisClient by lazy { RedisClient.create(RedisSentinels().uri) }
    }
}

/** The store's rules on three masters. */
internal class ClusterConformanceTest :
    RateLimitStoreConformance({ ServerFixture { settings, keys -> RedisStore(client, settings, keys) } }) {
    private companion object {
        val client: RedisClusterClient by lazy { RedisClusterClient.create(RedisCluster().uri) }
    }
}

/** The store's rules on the oldest Redis that it is for. */
@EnabledIf(OldestIsHere::class)
internal class OldestRedisConformanceTest :
    RateLimitStoreConformance({ ServerFixture { settings, keys -> RedisStore(client, settings, keys) } }) {
    private companion object {
        val client: RedisClient by lazy { RedisClient.create(checkNotNull(variant("6.2")).start().uri) }
    }
}

/** The store's rules on Valkey. */
@EnabledIf(ValkeyIsHere::class)
internal class ValkeyConformanceTest :
    RateLimitStoreConformance({ ServerFixture { settings, keys -> RedisStore(client, settings, keys) } }) {
    private companion object {
        val client: RedisClient by lazy { RedisClient.create(checkNotNull(variant("Valkey")).start().uri) }
    }
}

private fun variant(name: String) = ServerVariants.all.firstOrNull { name in it.name }

/** Whether a server of Redis 6.2 can be started here. */
internal class OldestIsHere : Condition {
    override fun evaluate(kclass: KClass<out Spec>): Boolean = variant("6.2") != null
}

/** Whether a Valkey server can be started here. */
internal class ValkeyIsHere : Condition {
    override fun evaluate(kclass: KClass<out Spec>): Boolean = variant("Valkey") != null
}

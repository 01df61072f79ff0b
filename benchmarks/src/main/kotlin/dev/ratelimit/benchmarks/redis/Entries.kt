package dev.ratelimit.benchmarks.redis

import io.github.bucket4j.distributed.proxy.optimization.Optimization
import io.github.bucket4j.distributed.proxy.optimization.Optimizations

/** Who takes part, by the names in the table. Promises are measured against [PING], [PLAIN], and the fastest way to use each peer. */
internal object Entries {
    const val PING = "PING"
    const val PLAIN = "plain EVALSHA"
    val BUCKET4J = listOf("Bucket4j", "Bucket4j, batching")
    val REDISSON = listOf("Redisson", "Redisson, 64 connections")
    const val OURS = "ours"
    const val OUR_BLOCKING = "ours, blocking"

    val THROUGHPUT =
        listOf(
            Entry(PING, decides = false) { field, _ -> Ping(field) },
            Entry(PLAIN, make = ::PlainScript),
            Entry("two keys, as Spring's", make = ::TwoKeys),
            Entry(BUCKET4J[0]) { field, scenario -> Bucket4jPeer(field, scenario, "b4j", Optimization.NONE_OPTIMIZED) },
            Entry(BUCKET4J[1]) { field, scenario -> Bucket4jPeer(field, scenario, "b4jb", Optimizations.batching()) },
            Entry(REDISSON[0]) { field, scenario -> RedissonPeer(field, scenario, "rsn1", connections = 1) },
            Entry(REDISSON[1]) { field, scenario -> RedissonPeer(field, scenario, "rsn", connections = null) },
            Entry("ours, bare store", make = ::OurStore),
            Entry(OURS) { field, scenario -> OurLimiter(field, scenario, "limiter:") },
        )

    val SINGLE_CALLER =
        listOf(
            Entry(PING, decides = false) { field, _ -> Ping(field) },
            Entry(PLAIN, make = ::PlainScript),
            Entry("two keys, as Spring's", make = ::TwoKeys),
            Entry(BUCKET4J[0]) { field, scenario -> Bucket4jPeer(field, scenario, "b4j", Optimization.NONE_OPTIMIZED) },
            Entry(REDISSON[0]) { field, scenario -> RedissonPeer(field, scenario, "rsn1", connections = 1) },
            Entry("ours, bare store", make = ::OurStore),
            Entry(OURS) { field, scenario -> OurLimiter(field, scenario, "limiter:") },
            Entry(OUR_BLOCKING) { field, scenario -> OurBlockingLimiter(field, scenario) },
        )
}

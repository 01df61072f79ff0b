package dev.ratelimit.benchmarks.redis

import io.github.bucket4j.distributed.proxy.optimization.Optimization
import io.github.bucket4j.distributed.proxy.optimization.Optimizations

/** Who takes part, by the names in the table. Promises are measured against [PING], [PLAIN], and the fastest way to use each peer. */
internal object Entries {
    const val PING = "PING"
    const val PLAIN = "plain EVALSHA"
    const val OURS = "ours"
    const val OUR_BLOCKING = "ours, blocking"

    private val ping = Entry(PING, decides = false) { field, _ -> Ping(field) }
    private val plain = Entry(PLAIN, make = ::PlainScript)
    private val twoKeys = Entry("two keys, as Spring's", make = ::TwoKeys)
    private val bucket4j = Entry("Bucket4j") { field, scenario -> Bucket4jPeer(field, scenario, "b4j", Optimization.NONE_OPTIMIZED) }
    private val batching =
        Entry("Bucket4j, batching") { field, scenario -> Bucket4jPeer(field, scenario, "b4jb", Optimizations.batching()) }
    private val redisson = Entry("Redisson") { field, scenario -> RedissonPeer(field, scenario, "rsn", connections = 1) }
    private val pooled = Entry("Redisson, its own pool") { field, scenario -> RedissonPeer(field, scenario, "rsnp", connections = null) }
    private val ourStore = Entry("ours, bare store", make = ::OurStore)
    private val ours = Entry(OURS) { field, scenario -> OurLimiter(field, scenario, "limiter:") }
    private val ourBlocking = Entry(OUR_BLOCKING, make = ::OurBlockingLimiter)

    val BUCKET4J = listOf(bucket4j.name, batching.name)
    val REDISSON = listOf(redisson.name, pooled.name)

    val THROUGHPUT = listOf(ping, plain, twoKeys, bucket4j, batching, redisson, pooled, ourStore, ours)

    /** Nothing to batch or to pool. */
    val SINGLE_CALLER = listOf(ping, plain, twoKeys, bucket4j, redisson, ourStore, ours, ourBlocking)
}

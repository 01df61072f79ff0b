package dev.ratelimit.benchmarks

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.MemoryStore
import java.time.Duration
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicLong

/**
 * The heap that each of a million keys takes while its bucket is in use, beside the key itself, whose string the caller has anyway.
 * Bucket4j, Guava, Resilience4j and Failsafe have no keys of their own and stand in a map.
 */
fun main(args: Array<String>) {
    val keys = Keys.many()
    val permits = 100L
    val period = Duration.ofDays(1)

    fun inMap(make: () -> Any) = { keys.associateWithTo(ConcurrentHashMap<String, Any>()) { make() } }
    val candidates =
        listOf(
            "ours" to { inStore(keys, RateLimit.tokenBucket(permits, period)) },
            "a map of AtomicLong" to inMap { AtomicLong() },
            "Bucket4j" to inMap { Peers.bucket4j(permits, period).also { it.tryConsume(1) } },
            "Guava" to inMap { Peers.guava(permits, period).also { it.tryAcquire() } },
            "Failsafe" to inMap { Peers.failsafe(permits, period).also { it.tryAcquirePermit() } },
            "Resilience4j" to inMap { Peers.resilience4j(permits, period).also { it.acquirePermission() } },
        )
    val figures =
        candidates.map { (name, fill) ->
            val (bytes, _) = Heap.perItem(keys.size, fill)
            Figure("heap per key beside the key, $name", bytes, "bytes", atMost = if (name == "ours") MOST_PER_KEY else null)
        }
    check(keys.size == Keys.COUNT) { "the keys must live as long as what is measured" }
    Figure.report(args, figures)
}

private fun inStore(
    keys: Array<String>,
    limit: RateLimit,
): Any {
    val store = MemoryStore()
    val limiter = KeyedRateLimiter<String>("users", limit, store = store)
    for (key in keys) check(limiter[key].tryAcquire().isAllowed) { "a first permit was denied" }
    check(store.size == keys.size) { "the store keeps ${store.size} of ${keys.size} buckets" }
    return listOf(store, limiter)
}

private const val MOST_PER_KEY = 64.0

package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.conformance.KEY
import dev.ratelimit.jvm.redis.rig.awaitThat
import dev.ratelimit.spi.BucketKey
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicLong
import kotlin.concurrent.thread

/** Threads that ask one after another until they are stopped, and count what they are told. */
internal class Load(
    private val store: RedisStore,
    private val keys: List<BucketKey> = listOf(KEY),
    threads: Int = 4,
    private val call: (RedisStore, BucketKey) -> RateLimitResult = { store, key -> store.take(key = key) },
) {
    val grants = AtomicLong()
    val refusals = AtomicLong()

    /** Decided by a policy. */
    val unavailable = AtomicLong()
    val failures: MutableSet<String> = ConcurrentHashMap.newKeySet()
    val granted = ConcurrentHashMap<BucketKey, AtomicLong>()

    @Volatile
    private var isOver = false
    private val all = List(threads) { number -> thread(name = "load-$number") { run(number) } }

    private fun run(number: Int) {
        var i = number
        while (!isOver) {
            val key = keys[i++ % keys.size]
            try {
                val result = call(store, key)
                when {
                    result.isAllowed -> {
                        grants.incrementAndGet()
                        granted.computeIfAbsent(key) { AtomicLong() }.incrementAndGet()
                    }
                    result.isUnavailable -> unavailable.incrementAndGet()
                    else -> refusals.incrementAndGet()
                }
            } catch (e: RateLimitStoreException) {
                failures += e.message.orEmpty()
            }
        }
    }

    fun awaitGrants(more: Long) {
        val from = grants.get()
        awaitThat("$more more grants; failures: $failures") { grants.get() >= from + more }
    }

    fun stop() {
        isOver = true
        all.forEach { it.join() }
    }
}

package dev.ratelimit.jvm

import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.redis.Batch
import dev.ratelimit.jvm.redis.Gatherer
import dev.ratelimit.jvm.redis.Item
import dev.ratelimit.jvm.redis.Link
import dev.ratelimit.jvm.redis.Operation
import dev.ratelimit.jvm.redis.RedisKeys
import dev.ratelimit.jvm.redis.RedisLimit
import dev.ratelimit.jvm.redis.Request
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.RateLimitStore
import io.lettuce.core.RedisClient
import io.lettuce.core.cluster.RedisClusterClient
import io.lettuce.core.cluster.SlotHash
import java.util.concurrent.CompletionStage
import java.util.concurrent.ConcurrentHashMap
import dev.ratelimit.RateLimit as Limit

/**
 * Buckets in Redis, shared by all processes that use it: one round trip for a decision, by the server's clock. Thread-safe.
 */
public class RedisStore internal constructor(
    private val link: Link,
    private val keys: RedisKeys,
    private val isCluster: Boolean,
    private val now: () -> Long?,
    private val onClose: () -> Unit,
) : RateLimitStore {
    private val limits = ConcurrentHashMap<Limit, RedisLimit>()
    private val gatherers = ConcurrentHashMap<Int, Gatherer>()

    override fun tryAcquireAsync(
        charges: List<Charge>,
        maxDelayNanos: Long,
    ): CompletionStage<RateLimitResult> = decided(Request(Operation.ACQUIRE, merged(charges), maxDelayNanos))

    override fun peekAsync(charges: List<Charge>): CompletionStage<RateLimitResult> = decided(Request(Operation.PEEK, merged(charges)))

    override fun adjustAsync(adjustments: List<Adjustment>): CompletionStage<Void?> =
        done(Request(Operation.ADJUST, adjustments.map { Item(keys.nameOf(it.key), limitOf(it.limit), it.permits.coerceIn(-MOST, MOST)) }))

    override fun resetAsync(keys: List<BucketKey>): CompletionStage<Void?> =
        done(Request(Operation.RESET, keys.map { Item(this.keys.nameOf(it), null, 0) }))

    override fun close(): Unit = onClose()

    private fun decided(request: Request): CompletionStage<RateLimitResult> {
        send(request)
        return request.answer.thenApply { checkNotNull(it) }
    }

    private fun done(request: Request): CompletionStage<Void?> {
        send(request)
        return request.answer.thenApply { null }
    }

    private fun send(request: Request) {
        val slot = if (isCluster) slotOf(request) else 0
        gatherers.computeIfAbsent(slot) { Gatherer(::call) }.submit(request)
    }

    private fun slotOf(request: Request): Int {
        val slots = request.items.associateBy { SlotHash.getSlot(it.key) }
        require(slots.size == 1) {
            "the keys ${slots.values.map { it.key }} are in different slots of Redis Cluster, where one call cannot reach both; " +
                "charge limits of one limiter and key together, or use two calls"
        }
        return slots.keys.single()
    }

    private fun call(requests: List<Request>): CompletionStage<*> {
        val batch = Batch(requests, now())
        return link.call(batch).whenComplete { answer, failure -> if (failure == null) batch.complete(answer) else batch.fail(failure) }
    }

    /** Charges on the same bucket add up. */
    private fun merged(charges: List<Charge>): List<Item> {
        require(charges.isNotEmpty()) { "charges are empty; charge at least one bucket" }
        val items = LinkedHashMap<String, Item>()
        for (charge in charges) {
            val name = keys.nameOf(charge.key)
            val sum = Math.addExact(items[name]?.permits ?: 0, charge.permits)
            charge.limit.checkPermits(sum)
            items[name] = Item(name, limitOf(charge.limit), sum)
        }
        return items.values.toList()
    }

    private fun limitOf(limit: Limit): RedisLimit = limits[limit] ?: RedisLimit.of(limit).also { if (limits.size < MOST_LIMITS) limits[limit] = it }

    public companion object {
        private const val MOST = 1L shl 51
        private const val MOST_LIMITS = 10_000

        internal fun on(
            client: RedisClient,
            keyPrefix: String,
            now: () -> Long? = { null },
        ): RedisStore {
            val connection = client.connect()
            return RedisStore(Link(connection.async()), RedisKeys(keyPrefix), isCluster = false, now, connection::close)
        }

        internal fun on(
            client: RedisClusterClient,
            keyPrefix: String,
            now: () -> Long? = { null },
        ): RedisStore {
            val connection = client.connect()
            return RedisStore(Link(connection.async()), RedisKeys(keyPrefix), isCluster = true, now, connection::close)
        }
    }
}

package dev.ratelimit.jvm

import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.redis.Answer
import dev.ratelimit.jvm.redis.Connecting
import dev.ratelimit.jvm.redis.Decider
import dev.ratelimit.jvm.redis.DenialCache
import dev.ratelimit.jvm.redis.Fallback
import dev.ratelimit.jvm.redis.Item
import dev.ratelimit.jvm.redis.Leases
import dev.ratelimit.jvm.redis.Operation
import dev.ratelimit.jvm.redis.RedisKeys
import dev.ratelimit.jvm.redis.RedisLimit
import dev.ratelimit.jvm.redis.Request
import dev.ratelimit.jvm.redis.Servers
import dev.ratelimit.jvm.redis.Settings
import dev.ratelimit.jvm.redis.Taken
import dev.ratelimit.jvm.redis.Tallies
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.RateLimitStore
import dev.ratelimit.spi.Reservation
import dev.ratelimit.spi.Tally
import dev.ratelimit.spi.TallyEntry
import dev.ratelimit.spi.TallyStore
import io.lettuce.core.RedisClient
import io.lettuce.core.cluster.RedisClusterClient
import java.util.UUID
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.TimeUnit
import dev.ratelimit.RateLimit as Limit
import java.time.Duration as JavaDuration

/**
 * Buckets in Redis (6.2 or later) or Valkey, shared by all processes that use the same [keyPrefix][RedisStoreBuilder.keyPrefix]: one round
 * trip for a decision, by the server's clock; calls made while others are under way go out together. Standalone, Sentinel and Cluster.
 *
 * Every decision is made within the [deadline][RedisStoreBuilder.deadline], whatever Redis does: when it cannot be asked, the
 * [FailurePolicy] decides. Nothing is ever sent twice. A call that Redis did not answer in time may have been charged there all the
 * same; if its answer still comes, and the caller was not let through, its permits are given back; so are those of a caller who is
 * cancelled while Redis is asked. Best effort: what cannot be given back, because Redis is away, is used up.
 *
 * Thread-safe. Needs `io.lettuce:lettuce-core`, which is an optional dependency. Times are kept in microseconds, by the server's clock.
 */
public class RedisStore internal constructor(
    private val servers: Servers,
    private val names: RedisKeys,
    private val settings: Settings,
) : RateLimitStore,
    TallyStore {
    /** The store on the user's own client, which stays open when the store is closed; settings as in [RedisStoreBuilder]. */
    public constructor(client: RedisClient) : this(client, Settings())

    /** The store on the user's own client of a cluster, which stays open when the store is closed. */
    public constructor(client: RedisClusterClient) : this(client, Settings())

    internal constructor(client: RedisClient, settings: Settings, names: RedisKeys = RedisKeys(settings.keyPrefix)) :
        this(Connecting(settings).on(client), names, settings)

    internal constructor(client: RedisClusterClient, settings: Settings, names: RedisKeys = RedisKeys(settings.keyPrefix)) :
        this(Connecting(settings).on(client), names, settings)

    /** Tells the turns of this process from those of others; see token_bucket.lua. */
    private val owner = UUID.randomUUID().toString().substringBefore('-')

    private val decider = Decider(servers, names, settings)
    private val tallies = Tallies(decider, names)
    private val fallback = Fallback(settings.policy)
    private val limits = ConcurrentHashMap<Limit, RedisLimit>()
    private val denials = if (settings.denials > 0) DenialCache(settings.denials) else null
    private val leases =
        if (settings.leasePermits > 0) {
            Leases(
                settings.leasePermits,
                settings.leaseIdleNanos,
                ::take,
                { charge, cause -> fallback.tryAcquire(listOf(charge), Long.MAX_VALUE, cause) },
            ) { returned(listOf(it)) }
        } else {
            null
        }

    override fun tryAcquireAsync(
        charges: List<Charge>,
        maxDelayNanos: Long,
    ): CompletionStage<RateLimitResult> {
        denials?.find(charges, maxDelayNanos)?.let { return CompletableFuture.completedFuture(it) }
        if (leases?.serves(charges) == true) return leases.acquire(charges[0])
        lateinit var request: Request<RateLimitResult>
        request =
            Request(Operation.ACQUIRE, merged(charges), maxDelayNanos, 0, { told ->
                told.result().also { if (!it.isAllowed) denials?.remember(charges, maxDelayNanos, it, request.bornAt) }
            }, {
                fallback.tryAcquire(charges, maxDelayNanos, it)
            }, { late, told -> if (late.isAllowed && told?.isAllowed != true) returned(adjustments(charges, 1)) })
        return sent(request)
    }

    /** Up to [most] permits for a lease, at least those of [charge]. */
    private fun take(
        charge: Charge,
        most: Long,
    ): CompletableFuture<Taken> {
        lateinit var request: Request<Taken>
        val asked = charge.permits
        request =
            Request(Operation.TAKE, merged(listOf(charge)), Long.MAX_VALUE, most, {
                Taken(it.result(), asked, it.taken, request.bornAt)
            }, {
                Taken(fallback.tryAcquire(listOf(charge), Long.MAX_VALUE, it), asked, asked, request.bornAt, it)
            }, { late, told ->
                val unused = if (told?.result?.isAllowed == true) late.permits - asked else late.permits
                if (late.result.isAllowed && unused > 0) returned(listOf(Adjustment(charge.key, charge.limit, -unused)))
            })
        val answer = sent(request)
        if (denials != null) {
            answer.thenAccept {
                if (!it.result.isAllowed && it.cause == null) denials.remember(listOf(charge), Long.MAX_VALUE, it.result, it.at)
            }
        }
        return answer
    }

    override fun peekAsync(
        charges: List<Charge>,
        ahead: Long,
    ): CompletionStage<RateLimitResult> =
        sent(
            Request(Operation.PEEK, merged(charges), Long.MAX_VALUE, ahead.coerceAtMost(MOST), Answer::result, {
                fallback.peek(charges, ahead, it)
            }),
        )

    override fun reserveAsync(
        charges: List<Charge>,
        most: Int,
        withinNanos: Long,
    ): CompletionStage<Reservation> {
        val count = most.coerceIn(1, MOST_TURNS).toLong()
        return sent(
            Request(Operation.RESERVE, merged(charges), withinNanos, count, Answer::reservation, {
                fallback.reserve(charges, it)
            }, { late, _ ->
                if (late.turns() > 0) returned(adjustments(charges, late.turns()), owner)
            }, owner),
        )
    }

    override fun returnAsync(turns: List<Adjustment>): CompletionStage<Void?> = adjusted(turns, owner) { fallback.adjust(turns, it) }

    override fun adjustAsync(adjustments: List<Adjustment>): CompletionStage<Void?> = adjusted(adjustments) {
        fallback.adjust(adjustments, it)
    }

    private fun adjusted(
        adjustments: List<Adjustment>,
        owner: String = "",
        instead: (RateLimitStoreException) -> Unit,
    ): CompletionStage<Void?> {
        adjustments.forEach { denials?.forget(it.key) }
        val items = adjustments.map { Item(names.nameOf(it.key), limitOf(it.limit), it.permits.coerceIn(-MOST, MOST)) }
        val answer = { cause: RateLimitStoreException -> null.also { instead(cause) } }
        return sent(Request<Void?>(Operation.ADJUST, items, Long.MAX_VALUE, 0, { null }, answer, owner = owner))
            .whenComplete { _, _ -> adjustments.forEach { denials?.forget(it.key) } }
    }

    override fun resetAsync(keys: List<BucketKey>): CompletionStage<Void?> {
        forget(keys)
        val items = keys.map { Item(names.nameOf(it), null, 0) }
        val answer = sent(Request<Void?>(Operation.RESET, items, Long.MAX_VALUE, 0, { null }, { fallback.reset(keys, it) }))
        // Once more: what was asked just before was answered by the bucket of before.
        return answer.whenComplete { _, _ -> forget(keys) }
    }

    private fun forget(keys: List<BucketKey>) {
        keys.forEach { denials?.forget(it) }
        keys.forEach { leases?.forget(it) }
    }

    override fun declareAsync(
        limiter: String,
        member: String,
        limits: List<Limit>,
        validity: JavaDuration,
    ): CompletionStage<Set<Limit>> =
        decider.declare(limiter, member, limits.joinToString(BETWEEN_LIMITS), validity.toMillis()).thenApply { declared ->
            declared.flatMap { it.split(BETWEEN_LIMITS) }.map(Limit::parse).toSet()
        }

    /** Fails while Redis is away, whatever the failure policy. */
    override fun tallyAsync(entry: TallyEntry): CompletionStage<Void?> = tallies.add(entry)

    /** Fails while Redis is away, whatever the failure policy. Each group is asked for by itself, a few at a time. */
    override fun talliesAsync(groups: List<String>): CompletionStage<List<Tally>> = tallies.read(groups)

    /** @throws IllegalArgumentException if the limit has no exact form in the numbers of Lua, in microseconds */
    override fun check(limit: Limit) {
        limitOf(limit)
    }

    override fun reachesTogether(keys: List<BucketKey>): Boolean =
        servers.slots == 1 || keys.distinctBy { servers.slotOf(names.nameOf(it)) }.size <= 1

    /** Returns what is leased, and ends the connections that the store has opened; a client that it was given stays open. */
    override fun close() {
        leases?.returnAll()
        decider.finish(settings.deadlineNanos, TimeUnit.NANOSECONDS)
    }

    private fun <T> sent(request: Request<T>): CompletableFuture<T> {
        decider.send(request)
        return request.answer
    }

    private fun adjustments(
        charges: List<Charge>,
        times: Int,
    ) = charges.map { Adjustment(it.key, it.limit, -Math.multiplyExact(it.permits, times)) }

    /** Gives back what Redis has granted and nobody has used; what decides while Redis is away never had it. */
    private fun returned(
        adjustments: List<Adjustment>,
        owner: String = "",
    ) {
        adjusted(adjustments, owner) {}
    }

    /** Charges on the same bucket add up. */
    private fun merged(charges: List<Charge>): List<Item> {
        if (charges.size == 1) return listOf(charges[0].let { Item(names.nameOf(it.key), limitOf(it.limit), it.permits) })
        require(charges.isNotEmpty()) { "charges are empty; charge at least one bucket" }
        val items = LinkedHashMap<String, Item>()
        for (charge in charges) {
            val name = names.nameOf(charge.key)
            val sum = Math.addExact(items[name]?.permits ?: 0, charge.permits)
            charge.limit.checkPermits(sum)
            items[name] = Item(name, limitOf(charge.limit), sum)
        }
        return items.values.toList()
    }

    private fun limitOf(limit: Limit): RedisLimit =
        limits[limit] ?: RedisLimit.of(limit).also { if (limits.size < MOST_LIMITS) limits[limit] = it }

    override fun toString(): String = "RedisStore $servers, keys ${settings.keyPrefix}*"

    public companion object {
        private const val MOST = 1L shl 51
        private const val MOST_LIMITS = 10_000
        private const val MOST_TURNS = 1_000
        private const val BETWEEN_LIMITS = "; "

        /** A store with other settings than the defaults. */
        @JvmStatic
        public fun builder(): RedisStoreBuilder = RedisStoreBuilder()

        /**
         * The store at this URI, with the default settings: `redis://user:password@host:6379/0`, `rediss://` for TLS,
         * `redis-sentinel://host:26379,host:26379/0#master` for Sentinel. A Redis Cluster is recognised.
         *
         * @throws RateLimitStoreException if the server cannot be reached, refuses the password, or is older than Redis 6.2
         * @throws IllegalStateException if Lettuce is missing
         */
        @JvmStatic
        public fun connect(uri: String): RedisStore = builder().connect(uri)
    }
}

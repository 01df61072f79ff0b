package dev.ratelimit.jvm

import dev.ratelimit.jvm.redis.Connecting
import dev.ratelimit.jvm.redis.RedisKeys
import dev.ratelimit.jvm.redis.Settings
import io.lettuce.core.RedisClient
import io.lettuce.core.cluster.RedisClusterClient
import java.util.concurrent.TimeUnit
import kotlin.time.Duration
import kotlin.time.toJavaDuration
import java.time.Duration as JavaDuration

/** Made by [RedisStore.builder]. Not thread-safe; the stores it makes are. */
public class RedisStoreBuilder internal constructor() {
    private var keyPrefix = "ratelimit:"
    private var deadline = JavaDuration.ofMillis(DEADLINE_MILLIS)
    private var connectTimeout = JavaDuration.ofSeconds(CONNECT_SECONDS)
    private var policy = FailurePolicy.local()
    private var isStrict = false
    private var mayStartAway = false
    private var leasePermits = 0L
    private var leaseIdle = JavaDuration.ZERO
    private var denials = 0
    private var listener: RedisStoreListener? = null

    /** What all keys begin with; `ratelimit:` by default. Stores with the same prefix share buckets. */
    public fun keyPrefix(keyPrefix: String): RedisStoreBuilder = apply { this.keyPrefix = RedisKeys.checked(keyPrefix) }

    /** The time that Redis has for a decision before the failure policy makes it; 200 ms by default. */
    public fun deadline(deadline: JavaDuration): RedisStoreBuilder = apply { this.deadline = positive("deadline", deadline) }

    /** The time that Redis has for a decision before the failure policy makes it; 200 ms by default. */
    public fun deadline(deadline: Duration): RedisStoreBuilder = deadline(deadline.toJavaDuration())

    /** How long connecting may take when the store is made; 5 s by default. */
    public fun connectTimeout(timeout: JavaDuration): RedisStoreBuilder = apply { connectTimeout = positive("connectTimeout", timeout) }

    /** How long connecting may take when the store is made; 5 s by default. */
    public fun connectTimeout(timeout: Duration): RedisStoreBuilder = connectTimeout(timeout.toJavaDuration())

    /** What decides while Redis is away; [FailurePolicy.local] by default. */
    public fun failurePolicy(policy: FailurePolicy): RedisStoreBuilder = apply { this.policy = policy }

    /**
     * After a loss of Redis' data (a restart without them, FLUSHALL, a failover to an empty replica) buckets start empty instead of
     * full, so not even one burst is granted twice. The price is one more key for each slot, and that the very first calls find empty
     * buckets too.
     */
    public fun strict(strict: Boolean): RedisStoreBuilder = apply { isStrict = strict }

    /** Lets the store be made while Redis cannot be reached, as in an outage; otherwise making it fails then. */
    public fun mayStartAway(mayStartAway: Boolean): RedisStoreBuilder = apply { this.mayStartAway = mayStartAway }

    /**
     * Takes up to [permits] at once and uses them locally, without asking Redis again. The limit keeps its total, for they are taken from
     * it when they are leased; but they may be used later than that, so for a moment more can come together than a burst: at most
     * [permits] of each key for each process. A lease of 100 or more that is used up within milliseconds is followed by a larger one, of
     * up to eight times [permits], but no more than a hundredth of the burst, and only while there is enough for all: then that is the
     * most that a process has unused. Unused ones go back after [idle], and when the store is closed; those of a process that is killed
     * are lost. For token buckets and fixed windows of limiters with one limit; others are asked each time.
     */
    public fun lease(
        permits: Long,
        idle: JavaDuration,
    ): RedisStoreBuilder =
        apply {
            require(permits > 0) { "lease of $permits permits; write at least 1" }
            leasePermits = permits
            leaseIdle = positive("idle", idle)
        }

    /** As the other function of this name. */
    public fun lease(
        permits: Long,
        idle: Duration,
    ): RedisStoreBuilder = lease(permits, idle.toJavaDuration())

    /**
     * Remembers up to [max] denials and refuses the same calls locally until the time that Redis told is over. What another process gives
     * back or resets meanwhile is not seen.
     */
    public fun denialCache(max: Int): RedisStoreBuilder =
        apply {
            require(max > 0) { "denialCache of $max; write at least 1" }
            denials = max
        }

    /** Told of outages. */
    public fun listener(listener: RedisStoreListener): RedisStoreBuilder = apply { this.listener = listener }

    /** See [RedisStore.connect]. */
    public fun connect(uri: String): RedisStore {
        Lettuce.check()
        val settings = settings()
        return RedisStore(Connecting(settings).to(uri), RedisKeys(keyPrefix), settings)
    }

    /** The store on the user's own client, which stays open when the store is closed. */
    public fun build(client: RedisClient): RedisStore = RedisStore(client, settings())

    /** The store on the user's own client of a cluster, which stays open when the store is closed. */
    public fun build(client: RedisClusterClient): RedisStore = RedisStore(client, settings())

    private fun settings() =
        Settings(
            keyPrefix = keyPrefix,
            deadlineNanos = deadline.toNanos(),
            connectTimeoutNanos = connectTimeout.toNanos(),
            policy = policy,
            isStrict = isStrict,
            mayStartAway = mayStartAway,
            leasePermits = leasePermits,
            leaseIdleNanos = leaseIdle.toNanos(),
            denials = denials,
            listener = listener,
        )

    private companion object {
        const val DEADLINE_MILLIS = 200L
        const val CONNECT_SECONDS = 5L

        fun positive(
            name: String,
            duration: JavaDuration,
        ): JavaDuration {
            require(duration > JavaDuration.ZERO) { "$name $duration is not positive; write for example 200.milliseconds" }
            return if (duration.seconds > TimeUnit.DAYS.toSeconds(1)) JavaDuration.ofDays(1) else duration
        }
    }
}

/** Lettuce is an optional dependency; whoever forgot it is told so. */
internal object Lettuce {
    fun check(loader: ClassLoader = Lettuce::class.java.classLoader) {
        try {
            Class.forName("io.lettuce.core.RedisClient", false, loader)
        } catch (e: ClassNotFoundException) {
            throw IllegalStateException("RedisStore needs Lettuce; add the dependency io.lettuce:lettuce-core, 7.0 or later", e)
        }
    }
}

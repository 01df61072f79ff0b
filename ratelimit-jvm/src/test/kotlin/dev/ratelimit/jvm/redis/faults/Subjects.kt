package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.Refusal
import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.RedisStoreBuilder
import dev.ratelimit.jvm.RedisStoreListener
import dev.ratelimit.jvm.conformance.KEY
import dev.ratelimit.jvm.conformance.charge
import dev.ratelimit.jvm.redis.RedisKeys
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.ask
import dev.ratelimit.jvm.redis.rig.field
import dev.ratelimit.spi.BucketKey
import io.lettuce.core.RedisClient
import java.time.Duration
import java.util.concurrent.CompletionStage
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.seconds

/** More than any load uses up. */
internal const val BURST = 1_000_000L

/** Refills so slowly that what is in use is what was charged. */
internal val SLOW: RateLimit = RateLimit.tokenBucket(1, Duration.ofHours(1)).withBurst(BURST)

/** Of a decision: only a hang takes as long. */
private const val HANG_SECONDS = 20L

/** A store whose deadline only a broken server misses, also on a machine that is busy. */
internal fun storeAt(
    uri: String,
    policy: FailurePolicy = FailurePolicy.raise(),
    settings: RedisStoreBuilder.() -> Unit = {},
): RedisStore =
    RedisStore
        .builder()
        .failurePolicy(policy)
        .deadline(5.seconds)
        .connectTimeout(20.seconds)
        .apply(settings)
        .connect(uri)

/** The same on a client of the user's. */
internal fun storeOn(
    client: RedisClient,
    policy: FailurePolicy = FailurePolicy.raise(),
    settings: RedisStoreBuilder.() -> Unit = {},
): RedisStore =
    RedisStore
        .builder()
        .failurePolicy(policy)
        .deadline(5.seconds)
        .apply(settings)
        .build(client)

/** The answer, or the exception without its wrapping. */
internal fun <T> CompletionStage<T>.answer(): T =
    try {
        toCompletableFuture().get(HANG_SECONDS, TimeUnit.SECONDS)
    } catch (e: ExecutionException) {
        throw e.cause ?: e
    }

internal fun RedisStore.take(
    permits: Long = 1,
    key: BucketKey = KEY,
    limit: RateLimit = SLOW,
): RateLimitResult = tryAcquireAsync(listOf(limit.charge(permits, key)), Long.MAX_VALUE).answer()

/** Whether Redis itself has granted a permit; policies that allow are of no use to ask this. */
internal fun RedisStore.serves(key: BucketKey = KEY): Boolean =
    try {
        take(key = key).isAllowed
    } catch (ignored: RateLimitStoreException) {
        false
    }

internal val RateLimitResult.isUnavailable: Boolean get() = !isAllowed && refusal() == Refusal.UNAVAILABLE

internal fun keyOf(key: String) = BucketKey("limiter", key, 0)

internal fun nameOf(
    key: BucketKey,
    prefix: String = "ratelimit:",
): String = RedisKeys(prefix).nameOf(key)

/** What a bucket of [SLOW] has in use, as the server itself says. */
internal fun RedisServer.used(key: BucketKey = KEY): Long {
    val text = ask { get(nameOf(key)) } ?: return 0
    val (used, rest) = checkNotNull(Regex("used=(\\d+) rest=(\\d+)").find(text)) { text }.destructured
    return used.toLong() + if (rest == "0") 0 else 1
}

/** Writes down outages. */
internal class Outages : RedisStoreListener {
    val began = CopyOnWriteArrayList<RateLimitStoreException>()
    val ended = CopyOnWriteArrayList<Duration>()

    override fun onOutage(
        server: String,
        cause: RateLimitStoreException,
    ) {
        began += cause
    }

    override fun onRecovery(
        server: String,
        outage: Duration,
    ) {
        ended += outage
    }
}

internal val RedisServer.version: String get() = "Redis " + ask { info("server") }.field("redis_version")

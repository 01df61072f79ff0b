package dev.ratelimit.jvm

import dev.ratelimit.KeyedRateLimiter
import dev.ratelimit.LocalKeyedRateLimiter
import dev.ratelimit.LocalRateLimiter
import dev.ratelimit.RateLimitListener
import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.limiter.Assembly
import dev.ratelimit.jvm.limiter.LimiterOptions
import dev.ratelimit.spi.LocalRateLimitStore
import dev.ratelimit.spi.RateLimitStore
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import dev.ratelimit.RateLimit as Limit

/** The most callers that wait in one line unless another bound is given. */
internal const val DEFAULT_MAX_WAITERS = 100_000

/**
 * A limiter in this process: `RateLimiter("sec.gov", 10.perSecond)`. With several limits, all grant or none is charged.
 *
 * @param name shown in logs and to listeners; limiters of the same name on the same [store] share their buckets
 * @param limits at least one
 * @param store where the buckets are; by default memory of the limiter's own
 * @param listener told of waits, grants and refusals
 * @param dispatcher where futures complete; suspend functions stay in their caller's context. With one that is backed by no executor (of
 *   a test, of an event loop, a limited view of another), futures also wait in line on it, and by its time: do not block that
 * @param maxWaiters the most callers that wait in line; those beyond are refused with [dev.ratelimit.Refusal.LINE_FULL]
 * @throws IllegalArgumentException if the name is empty, there are no limits, or a bound is negative
 */
@JvmSynthetic
public fun RateLimiter(
    name: String,
    vararg limits: Limit,
    store: LocalRateLimitStore = MemoryStore(),
    listener: RateLimitListener? = null,
    dispatcher: CoroutineDispatcher = Dispatchers.Default,
    maxWaiters: Int = DEFAULT_MAX_WAITERS,
): LocalRateLimiter = Assembly.local(name, limits.asList(), store, LimiterOptions(listener, dispatcher, maxWaiters))

/** As the other function of this name, on any store: where that is not local, asking suspends. */
@JvmSynthetic
public fun RateLimiter(
    name: String,
    vararg limits: Limit,
    store: RateLimitStore,
    listener: RateLimitListener? = null,
    dispatcher: CoroutineDispatcher = Dispatchers.Default,
    maxWaiters: Int = DEFAULT_MAX_WAITERS,
): RateLimiter = Assembly.any(name, limits.asList(), store, LimiterOptions(listener, dispatcher, maxWaiters))

/**
 * The same limits for each of many keys, in this process: `KeyedRateLimiter<String>("users", 60.perMinute)["alice"]`. Parameters as
 * those of [RateLimiter]; [maxWaiters] bounds the line of each key.
 *
 * @param K the type of the keys, with `equals` and `hashCode` by value
 */
@JvmSynthetic
public fun <K : Any> KeyedRateLimiter(
    name: String,
    vararg limits: Limit,
    store: LocalRateLimitStore = MemoryStore(),
    listener: RateLimitListener? = null,
    dispatcher: CoroutineDispatcher = Dispatchers.Default,
    maxWaiters: Int = DEFAULT_MAX_WAITERS,
): LocalKeyedRateLimiter<K> = Assembly.localKeyed(name, limits.asList(), store, LimiterOptions(listener, dispatcher, maxWaiters))

/** As the other function of this name, on any store: where that is not local, asking suspends. */
@JvmSynthetic
public fun <K : Any> KeyedRateLimiter(
    name: String,
    vararg limits: Limit,
    store: RateLimitStore,
    listener: RateLimitListener? = null,
    dispatcher: CoroutineDispatcher = Dispatchers.Default,
    maxWaiters: Int = DEFAULT_MAX_WAITERS,
): KeyedRateLimiter<K> = Assembly.anyKeyed(name, limits.asList(), store, LimiterOptions(listener, dispatcher, maxWaiters))

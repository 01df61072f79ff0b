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
import kotlinx.coroutines.asCoroutineDispatcher
import java.util.concurrent.Executor
import dev.ratelimit.RateLimit as Limit

/** Made by [RateLimiters.builder]. Not thread-safe; the limiters it builds are. */
public class RateLimiterBuilder internal constructor(
    private val name: String,
) {
    private var limits: List<Limit> = emptyList()
    private var listener: RateLimitListener? = null
    private var dispatcher: CoroutineDispatcher = Dispatchers.Default
    private var maxWaiters: Int = DEFAULT_MAX_WAITERS
    private var isStrictest = false

    /** The limits, at least one; with several, all grant or none is charged. */
    public fun limits(vararg limits: Limit): RateLimiterBuilder = apply { this.limits = limits.asList() }

    /** Who is told of waits, grants and refusals. */
    public fun listener(listener: RateLimitListener): RateLimiterBuilder = apply { this.listener = listener }

    /** Where futures that had to wait complete, and so where what depends on them runs. By default a pool shared by the process. */
    public fun executor(executor: Executor): RateLimiterBuilder = apply { dispatcher = executor.asCoroutineDispatcher() }

    /** The most callers that wait in one line; those beyond are refused with [dev.ratelimit.Refusal.LINE_FULL]. */
    public fun maxWaiters(maxWaiters: Int): RateLimiterBuilder = apply { this.maxWaiters = maxWaiters }

    /**
     * Where processes that share a store give the same limiter different limits, the strictest of all that live processes give it rule,
     * as [RateLimiterRegistry.tighten] does within one process. Told and heard once a second; who is silent for 5 s counts no more.
     */
    public fun strictest(): RateLimiterBuilder = apply { isStrictest = true }

    /** The limiter, in memory of its own. */
    public fun build(): LocalRateLimiter = build(MemoryStore())

    /** The limiter, on a local store. */
    public fun build(store: LocalRateLimitStore): LocalRateLimiter = Assembly.local(name, limits, store, options())

    /** The limiter, on any store. */
    public fun build(store: RateLimitStore): RateLimiter = Assembly.any(name, limits, store, options())

    /** The same limits for each key, in memory of their own. */
    public fun <K : Any> keyed(): LocalKeyedRateLimiter<K> = keyed(MemoryStore())

    /** The same limits for each key, on a local store. */
    public fun <K : Any> keyed(store: LocalRateLimitStore): LocalKeyedRateLimiter<K> = Assembly.localKeyed(name, limits, store, options())

    /** The same limits for each key, on any store. */
    public fun <K : Any> keyed(store: RateLimitStore): KeyedRateLimiter<K> = Assembly.anyKeyed(name, limits, store, options())

    private fun options() = LimiterOptions(listener, dispatcher, maxWaiters, isStrictest)
}

package dev.ratelimit.jvm

import dev.ratelimit.KeyedRateLimiter
import dev.ratelimit.LocalKeyedRateLimiter
import dev.ratelimit.LocalRateLimiter
import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.limiter.FamilyLimiter
import dev.ratelimit.jvm.limiter.JointLimiter
import dev.ratelimit.spi.LocalRateLimitStore
import dev.ratelimit.spi.RateLimitStore
import java.util.concurrent.Callable
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.function.Supplier
import dev.ratelimit.RateLimit as Limit

/** Makes limiters for Java. Kotlin has functions named like the types instead: [RateLimiter] and [KeyedRateLimiter]. */
public object RateLimiters {
    /** A limiter in memory of its own. */
    @JvmStatic
    public fun create(
        name: String,
        vararg limits: Limit,
    ): LocalRateLimiter = inMemory(name, *limits)

    /** A limiter on a local store. */
    @JvmStatic
    public fun create(
        name: String,
        store: LocalRateLimitStore,
        vararg limits: Limit,
    ): LocalRateLimiter = builder(name).limits(*limits).build(store)

    /** A limiter on any store. */
    @JvmStatic
    public fun create(
        name: String,
        store: RateLimitStore,
        vararg limits: Limit,
    ): RateLimiter = builder(name).limits(*limits).build(store)

    /** A limiter in memory of its own. */
    @JvmStatic
    public fun inMemory(
        name: String,
        vararg limits: Limit,
    ): LocalRateLimiter = builder(name).limits(*limits).build(MemoryStore())

    /** The same limits for each key, in memory of their own. */
    @JvmStatic
    public fun <K : Any> keyed(
        name: String,
        vararg limits: Limit,
    ): LocalKeyedRateLimiter<K> = builder(name).limits(*limits).keyed(MemoryStore())

    /** The same limits for each key, on a local store. */
    @JvmStatic
    public fun <K : Any> keyed(
        name: String,
        store: LocalRateLimitStore,
        vararg limits: Limit,
    ): LocalKeyedRateLimiter<K> = builder(name).limits(*limits).keyed(store)

    /** The same limits for each key, on any store. */
    @JvmStatic
    public fun <K : Any> keyed(
        name: String,
        store: RateLimitStore,
        vararg limits: Limit,
    ): KeyedRateLimiter<K> = builder(name).limits(*limits).keyed(store)

    /**
     * Limiters of one store as one: all grant, or none is charged, in one question to the store. Whoever waits stands in the line of each,
     * first in, first out: of the limiters made first, first. Corrections and resets go to all of them; limits are set one by one.
     *
     * @throws IllegalArgumentException if there are none, if one is named twice, if they are of different stores or not of this library
     */
    @JvmStatic
    public fun allOf(vararg limiters: RateLimiter): RateLimiter {
        require(limiters.isNotEmpty()) { "there are no limiters; name at least one" }
        val members =
            limiters.flatMap {
                when (it) {
                    is FamilyLimiter -> listOf(it)
                    is JointLimiter -> it.members
                    else -> throw IllegalArgumentException("$it is not a limiter of this library, and cannot be asked together with others")
                }
            }
        return members.singleOrNull() ?: JointLimiter.of(members)
    }

    /** Everything else that a limiter can be given: a listener, an executor for its futures, a bound of its lines. */
    @JvmStatic
    public fun builder(name: String): RateLimiterBuilder = RateLimiterBuilder(name)

    /** [task], preceded by a blocking wait for one permit on the thread that calls it. Interrupting that thread ends the wait. */
    @JvmStatic
    public fun <T> decorate(
        limiter: RateLimiter,
        task: Callable<T>,
    ): Callable<T> =
        Callable {
            limiter.acquireBlocking()
            task.call()
        }

    /** [task], started when a permit has come; cancelling the future while it waits for one leaves the line. */
    @JvmStatic
    public fun <T> decorateAsync(
        limiter: RateLimiter,
        task: Supplier<out CompletionStage<T>>,
    ): Supplier<CompletableFuture<T>> =
        Supplier {
            val permit = limiter.acquireAsync()
            val result = permit.thenCompose { task.get() }
            result.whenComplete { _, _ -> permit.cancel(false) }
            result
        }
}

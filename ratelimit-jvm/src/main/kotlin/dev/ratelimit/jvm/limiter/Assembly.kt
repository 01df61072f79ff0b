package dev.ratelimit.jvm.limiter

import dev.ratelimit.KeyedRateLimiter
import dev.ratelimit.LocalKeyedRateLimiter
import dev.ratelimit.LocalRateLimiter
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.SharedMemoryStore
import dev.ratelimit.spi.LocalRateLimitStore
import dev.ratelimit.spi.RateLimitStore

/** Puts limiters together: the one place that knows which kind goes with which store. */
internal object Assembly {
    fun local(
        name: String,
        limits: List<RateLimit>,
        store: LocalRateLimitStore,
        options: LimiterOptions,
    ): LocalRateLimiter {
        val lines = OneLine(options.maxWaiters)
        return when (store) {
            is MemoryStore -> MemoryLimiter(MemoryFamily(name, limits, store, options, lines), null)
            is SharedMemoryStore -> SharedLimiter(declaring(SharedFamily(name, limits, store, options, lines), store), null)
            else -> StoreLimiter(declaring(StoreFamily(name, limits, store, options, lines), store), null)
        }
    }

    fun any(
        name: String,
        limits: List<RateLimit>,
        store: RateLimitStore,
        options: LimiterOptions,
    ): RateLimiter =
        when (store) {
            is LocalRateLimitStore -> local(name, limits, store, options)
            else -> RemoteLimiter(declaring(RemoteFamily(name, limits, store, options, OneLine(options.maxWaiters)), store), null)
        }

    fun <K : Any> localKeyed(
        name: String,
        limits: List<RateLimit>,
        store: LocalRateLimitStore,
        options: LimiterOptions,
    ): LocalKeyedRateLimiter<K> {
        val lines = KeyedLines(options.maxWaiters)
        return when (store) {
            is MemoryStore -> {
                val family = MemoryFamily(name, limits, store, options, lines)
                LocalKeyed(family) { MemoryLimiter(family, it) }
            }
            is SharedMemoryStore -> {
                val family = declaring(SharedFamily(name, limits, store, options, lines), store)
                LocalKeyed(family) { SharedLimiter(family, it) }
            }
            else -> {
                val family = declaring(StoreFamily(name, limits, store, options, lines), store)
                LocalKeyed(family) { StoreLimiter(family, it) }
            }
        }
    }

    fun <K : Any> anyKeyed(
        name: String,
        limits: List<RateLimit>,
        store: RateLimitStore,
        options: LimiterOptions,
    ): KeyedRateLimiter<K> =
        when (store) {
            is LocalRateLimitStore -> {
                localKeyed(name, limits, store, options)
            }
            else -> {
                val family = declaring(RemoteFamily(name, limits, store, options, KeyedLines(options.maxWaiters)), store)
                Keyed(family) { RemoteLimiter(family, it) }
            }
        }

    /** A memory store has no other processes, and so nothing to declare. */
    private fun <F : Family> declaring(
        family: F,
        store: RateLimitStore,
    ): F = family.also { if (it.options.isStrictest) it.declareIn(store) }
}

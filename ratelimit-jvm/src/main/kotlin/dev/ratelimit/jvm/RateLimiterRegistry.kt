package dev.ratelimit.jvm

import dev.ratelimit.LocalRateLimiter
import dev.ratelimit.RateLimitListener
import dev.ratelimit.jvm.limiter.Assembly
import dev.ratelimit.jvm.limiter.FamilyLimiter
import dev.ratelimit.jvm.limiter.LimiterOptions
import dev.ratelimit.spi.LocalRateLimitStore
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asCoroutineDispatcher
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.Executor
import dev.ratelimit.RateLimit as Limit

/**
 * Limiters by name: whoever asks for the same name gets the same limiter, and so the same bucket and the same waiting line. For
 * programs whose parts do not know each other but call the same service. Thread-safe.
 *
 * @param store where all these limiters keep their buckets
 * @param listener told of what happens at any of them
 * @param dispatcher where their futures complete
 * @param maxWaiters the most callers that wait in each one's line
 */
public class RateLimiterRegistry
    @JvmOverloads
    constructor(
        private val store: LocalRateLimitStore = MemoryStore(),
        listener: RateLimitListener? = null,
        dispatcher: CoroutineDispatcher = Dispatchers.Default,
        maxWaiters: Int = DEFAULT_MAX_WAITERS,
    ) {
        /** As the other constructor, with futures that complete on [executor]. */
        public constructor(
            store: LocalRateLimitStore,
            listener: RateLimitListener?,
            executor: Executor,
        ) : this(store, listener, executor.asCoroutineDispatcher())

        private val options = LimiterOptions(listener, dispatcher, maxWaiters)
        private val limiters = ConcurrentHashMap<String, LocalRateLimiter>()

        /** The names in use. */
        public val names: Set<String> get() = limiters.keys.toSet()

        /** The limiter of this name, or null. */
        public fun find(name: String): LocalRateLimiter? = limiters[name]

        /**
         * The limiter of this name, made with [limits] if it is new.
         *
         * @throws IllegalArgumentException if there is one with other limits; [tighten] lets the strictest win
         */
        public fun limiter(
            name: String,
            vararg limits: Limit,
        ): LocalRateLimiter {
            val limiter = limiters.computeIfAbsent(name) { create(name, limits.asList()) }
            require(limiter.limits().toSet() == limits.toSet()) {
                "limiter '$name' has the limits ${limiter.limits()}, not ${limits.asList()}; " +
                    "ask for the same ones, or use tighten to let the strictest win, or setLimits to change them"
            }
            return limiter
        }

        /**
         * The limiter of this name, made with [limits] if it is new; otherwise its limits and [limits] rule together from now on, without
         * those that stricter ones imply. Used permits stay used, and those who wait are re-timed.
         */
        public fun tighten(
            name: String,
            vararg limits: Limit,
        ): LocalRateLimiter {
            val limiter = limiters.computeIfAbsent(name) { create(name, limits.asList()) }
            (limiter as FamilyLimiter).tighten(limits.asList())
            return limiter
        }

        /** Forgets the limiter of this name; those who hold it may go on using it. */
        public fun remove(name: String): Boolean = limiters.remove(name) != null

        private fun create(
            name: String,
            limits: List<Limit>,
        ) = Assembly.local(name, limits, store, options)
    }

package dev.ratelimit.jvm.limiter

import dev.ratelimit.KeyedRateLimiter
import dev.ratelimit.LocalKeyedRateLimiter
import dev.ratelimit.LocalRateLimiter
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimiter

/** The keys of one limiter; [limiterOf] makes the handle of one. */
internal open class Keyed<K : Any, L : RateLimiter>(
    private val family: Family,
    private val limiterOf: (K) -> L,
) : KeyedRateLimiter<K> {
    override fun name(): String = family.name

    override fun limits(): List<RateLimit> = family.slots.limits

    override fun setLimits(limits: List<RateLimit>) = family.setLimits(limits)

    override fun get(key: K): L = limiterOf(key)

    override fun toString(): String = "${name()} ${limits()} for each key"
}

/** [Keyed] on a local store. */
internal class LocalKeyed<K : Any>(
    family: Family,
    limiterOf: (K) -> LocalRateLimiter,
) : Keyed<K, LocalRateLimiter>(family, limiterOf),
    LocalKeyedRateLimiter<K> {
    override fun get(key: K): LocalRateLimiter = super<Keyed>.get(key)
}

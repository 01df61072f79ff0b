package dev.ratelimit.ktor.client

import dev.ratelimit.KeyedRateLimiter
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitListener
import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.spi.RateLimitStore

/** Hosts that share one bucket. */
internal class HostRule(
    val hosts: List<String>,
    val limits: List<RateLimit>,
)

/** Which limiter a request to a host asks. */
internal class HostLimiters(
    rules: Map<String, HostRule>,
    others: List<RateLimit>?,
    store: RateLimitStore,
    listener: RateLimitListener?,
) {
    private val named: Map<String, RateLimiter>

    @Suppress("SpreadOperator")
    private val others: KeyedRateLimiter<String>? =
        others?.let { KeyedRateLimiter("http other hosts", *it.toTypedArray(), store = store, listener = listener) }

    init {
        @Suppress("SpreadOperator")
        val limiters =
            rules.values.distinct().associateWith {
                RateLimiter("http " + it.hosts.joinToString(), *it.limits.toTypedArray(), store = store, listener = listener)
            }
        named = rules.mapValues { limiters.getValue(it.value) }
    }

    /** The limiter of a URL's host, or null if no rule is about it. */
    fun of(urlHost: String): RateLimiter? {
        val host = comparable(urlHost)
        return named[host] ?: others?.get(host)
    }
}

package dev.ratelimit.ktor.client.rules

import dev.ratelimit.KeyedRateLimiter
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitListener
import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.ktor.client.learning.PauseLimit
import dev.ratelimit.spi.RateLimitStore
import io.ktor.client.request.HttpRequestBuilder

/** What a user has written: these limits, for the requests that have a key. */
internal sealed class Rule(
    val name: String,
    val limits: List<RateLimit>,
) {
    /** Hosts that share one bucket. */
    class Hosts(
        val hosts: List<String>,
        limits: List<RateLimit>,
    ) : Rule("http " + hosts.joinToString(), limits)

    /** A bucket for each host that no other rule names. */
    class OtherHosts(
        limits: List<RateLimit>,
    ) : Rule("http other hosts", limits)

    /** A bucket for each key that a function of the user's finds. */
    class By(
        name: String,
        limits: List<RateLimit>,
        val key: (HttpRequestBuilder) -> Any?,
    ) : Rule("http $name", limits)
}

/** A bucket that a request is charged to. */
internal class Target(
    val limiter: RateLimiter,
    val rule: Rule,
    val key: Any?,
) {
    val id: TargetId get() = TargetId(rule.name, key)
}

internal data class TargetId(
    val rule: String,
    val key: Any?,
)

/** The buckets of one rule; behind the rule's own limits stands the one that hints of servers drain. */
internal class RuleBuckets(
    private val rule: Rule,
    store: RateLimitStore,
    listener: RateLimitListener?,
) {
    private val limits = (rule.limits + PauseLimit.beside(rule.limits)).toTypedArray()

    @Suppress("SpreadOperator")
    private val only: Target? =
        if (rule is Rule.Hosts) Target(RateLimiter(rule.name, *limits, store = store, listener = listener), rule, null) else null

    @Suppress("SpreadOperator")
    private val keyed: KeyedRateLimiter<Any>? =
        if (rule is Rule.Hosts) null else KeyedRateLimiter(rule.name, *limits, store = store, listener = listener)

    fun target(key: Any): Target = only ?: Target(checkNotNull(keyed)[key], rule, key)
}

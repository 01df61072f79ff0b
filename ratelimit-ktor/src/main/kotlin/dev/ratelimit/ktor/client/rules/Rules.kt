package dev.ratelimit.ktor.client.rules

import dev.ratelimit.RateLimitListener
import dev.ratelimit.spi.RateLimitStore
import io.ktor.client.request.HttpRequestBuilder

/** Which buckets a request is charged to: its host's first, then those of the rules by functions, in their order. */
internal class Rules(
    named: Map<String, Rule.Hosts>,
    others: Rule.OtherHosts?,
    functions: List<Rule.By>,
    store: RateLimitStore,
    listener: RateLimitListener?,
) {
    // Made in this order, and so asked in it: hosts, which have lines of their own, before what they may share.
    private val named: Map<String, RuleBuckets> =
        named.values.distinct().associateWith { RuleBuckets(it, store, listener) }.let { made ->
            named.mapValues { made.getValue(it.value) }
        }
    private val others = others?.let { RuleBuckets(it, store, listener) }
    private val byFunction = functions.map { it to RuleBuckets(it, store, listener) }

    fun targets(request: HttpRequestBuilder): List<Target> {
        val host = comparable(request.url.host)
        val ofHost = (named[host] ?: others)?.target(host)
        if (byFunction.isEmpty()) return listOfNotNull(ofHost)
        return listOfNotNull(ofHost) + byFunction.mapNotNull { (rule, buckets) -> rule.key(request)?.let(buckets::target) }
    }
}

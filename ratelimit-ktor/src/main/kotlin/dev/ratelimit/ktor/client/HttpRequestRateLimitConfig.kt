package dev.ratelimit.ktor.client

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitListener
import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.ktor.client.bandwidth.Bandwidth
import dev.ratelimit.spi.RateLimitStore
import io.ktor.utils.io.KtorDsl
import kotlin.time.Duration

/**
 * The settings of [HttpRequestRateLimit]. At least one rule is needed; requests to hosts without a rule are not limited.
 *
 * A host is a name or an address, as it stands in a URL. Case, a dot at the end and the request's port make no difference;
 * international names are compared as they are written. Several limits in one rule rule together: all grant, or none is charged.
 *
 * Not thread-safe; used while the client is made, and never after.
 */
@KtorDsl
public class HttpRequestRateLimitConfig internal constructor() {
    private val named = LinkedHashMap<String, HostRule>()
    private var others: List<RateLimit>? = null
    private var bandwidth: BandwidthConfig? = null

    /**
     * The longest that a request waits for its permit. When the permit cannot come by then, the request is refused at once, with
     * [RateLimitExceededException][dev.ratelimit.RateLimitExceededException]; [Duration.ZERO] never waits.
     *
     * @throws IllegalArgumentException if set to a negative duration
     */
    public var maxWait: Duration = Duration.INFINITE
        set(value) {
            require(!value.isNegative()) { "maxWait $value is negative; write for example 30.seconds, or Duration.ZERO not to wait at all" }
            field = value
        }

    /**
     * Where the buckets are; by default memory of this client's own. On a shared store, the limiter of a rule is named after the rule's
     * hosts, in their order: write the same rules in each process.
     */
    public var store: RateLimitStore = MemoryStore()

    /** Told of waits, grants and refusals; the key of what is told of [otherHosts] is the host. */
    public var listener: RateLimitListener? = null

    /**
     * One bucket for all of these hosts together: `hosts("www.sec.gov", "data.sec.gov", limit = 10.perSecond)`.
     *
     * @throws IllegalArgumentException if there is no host, or one is empty, not a host's name, or named already
     */
    public fun hosts(
        vararg hosts: String,
        limit: RateLimit,
    ): Unit = hosts(*hosts, limits = listOf(limit))

    /**
     * As the other function of this name, with several limits: `hosts("api.example.com", limits = listOf(10.perSecond, 1_000.perHour))`.
     *
     * @throws IllegalArgumentException if there is no host or no limit, or a host is empty, not a host's name, or named already
     */
    public fun hosts(
        vararg hosts: String,
        limits: List<RateLimit>,
    ) {
        require(hosts.isNotEmpty()) { "hosts has no host; write for example hosts(\"www.sec.gov\", limit = 10.perSecond)" }
        require(limits.isNotEmpty()) { "hosts${hosts.asList()} has no limit; write for example limits = listOf(10.perSecond)" }
        val names = hosts.map(::hostName)
        val rule = HostRule(names, limits.toList())
        for (name in names) {
            require(named.put(name, rule) == null) { "host '$name' is named twice; name it in one rule, once" }
        }
    }

    /**
     * One bucket for each host that [hosts] does not name.
     *
     * @throws IllegalArgumentException if there is no limit, or this was called before
     */
    public fun otherHosts(vararg limits: RateLimit) {
        require(limits.isNotEmpty()) { "otherHosts has no limit; write for example otherHosts(1.perSecond)" }
        require(others == null) {
            "otherHosts has the limits $others already; give all of them in one call, for example otherHosts(1.perSecond, 1_000.perHour)"
        }
        others = limits.toList()
    }

    /**
     * What the downloads of the client may take together: `bandwidth(2.mebibytesPerSecond)`. See the function with a block for the rest.
     *
     * @throws IllegalArgumentException if there is no limit, one is a leaky bucket, or the bandwidth is limited already
     */
    public fun bandwidth(vararg limits: RateLimit): Unit = bandwidth { download { total(*limits) } }

    /**
     * As the function with limits, by a limiter of one's own, whose `setLimits` changes the rate while downloads run.
     *
     * @throws IllegalArgumentException if the limiter has a leaky bucket, or the bandwidth is limited already
     */
    public fun bandwidth(limiter: RateLimiter): Unit = bandwidth { download { total(limiter) } }

    /**
     * The bytes a second of bodies, for the client together, for each host and for each call; it needs no rule about requests beside it:
     *
     * ```kotlin
     * bandwidth {
     *     download {
     *         total(8.mebibytesPerSecond)
     *         perHost(2.mebibytesPerSecond)
     *     }
     *     upload { perCall(512.kibibytesPerSecond) }
     * }
     * ```
     *
     * Nothing is buffered: whoever reads a body waits, chunk by chunk, for the permits of the bytes that he is about to get, and the sender
     * is slowed by TCP; an upload waits before each chunk that it sends. Lengths and headers stay as they are. Only bodies count, not
     * headers. What a cache answers costs nothing; WebSockets and server-sent events are left alone. The engine's own buffers
     * (with CIO, one or two mebibytes for each call) fill up at full speed.
     *
     * A change of a rate takes effect at once, also for the chunk that waits. Whoever is cancelled while he waits gives back what he has.
     * [maxWait] and [listener] are about requests, not about bytes; [HttpTimeout][io.ktor.client.plugins.HttpTimeout] times
     * bodies as always, and with them their waiting.
     *
     * Reading a body fails with [RateLimitStoreException][dev.ratelimit.RateLimitStoreException] when the store cannot answer.
     *
     * @throws IllegalArgumentException if the bandwidth is limited already
     */
    public fun bandwidth(configure: BandwidthConfig.() -> Unit) {
        require(bandwidth == null) {
            "bandwidth is given twice; give all of its limits in one call: bandwidth { download { … } upload { … } }"
        }
        bandwidth = BandwidthConfig().apply(configure)
    }

    internal fun bodies(): Bandwidth? = bandwidth?.build(store)

    internal fun limiters(): HostLimiters {
        require(named.isNotEmpty() || others != null || bandwidth != null) {
            "HttpRequestRateLimit has no rule and would limit nothing; write for example otherHosts(1.perSecond)"
        }
        return HostLimiters(named, others, store, listener)
    }
}

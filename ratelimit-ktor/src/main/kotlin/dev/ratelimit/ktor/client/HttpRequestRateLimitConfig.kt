package dev.ratelimit.ktor.client

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitListener
import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.ktor.client.bandwidth.Bandwidth
import dev.ratelimit.ktor.client.learning.Learning
import dev.ratelimit.ktor.client.passage.InFlight
import dev.ratelimit.ktor.client.politeness.Jitter
import dev.ratelimit.ktor.client.politeness.Robots
import dev.ratelimit.ktor.client.rules.Rule
import dev.ratelimit.ktor.client.rules.Rules
import dev.ratelimit.ktor.client.rules.hostName
import dev.ratelimit.spi.LocalRateLimitStore
import dev.ratelimit.spi.RateLimitStore
import io.ktor.client.HttpClient
import io.ktor.client.request.HttpRequestBuilder
import io.ktor.utils.io.KtorDsl
import java.time.Instant
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds

/**
 * The settings of [HttpRequestRateLimit]. At least one rule is needed; requests without a rule are not limited.
 *
 * A host is a name or an address, as it stands in a URL. Case, a dot at the end and the request's port make no difference;
 * international names are compared as they are written. Several limits in one rule rule together: all grant, or none is charged; so do
 * the rules of a request, of which there is one for its host at most, and any number [by functions][limit].
 *
 * Not thread-safe; used while the client is made, and never after.
 */
@KtorDsl
public class HttpRequestRateLimitConfig internal constructor() {
    private val named = LinkedHashMap<String, Rule.Hosts>()
    private var others: Rule.OtherHosts? = null
    private val functions = mutableListOf<Rule.By>()
    private var robotsOf: String? = null
    private var weigh: (HttpRequestBuilder) -> Long = { 1 }
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
     * The most requests at once, from the permit to the end of the answer's body, for each bucket of the rule that is about the request's
     * host, or else of the first that is about it; null for no bound.
     *
     * @throws IllegalArgumentException if set to less than 1
     */
    public var maxInFlight: Int? = null
        set(value) {
            require(value == null || value >= 1) { "maxInFlight $value is not positive; write 1 or more, or null for no bound" }
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
     * Whether answers make the bucket of the request's host pause, for all requests that share it: Retry-After of 429, 503 and GitHub's
     * 403; the quotas of `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11 and its earlier forms) and `X-RateLimit-*`, when nothing is
     * left until the reset, and, to spread what is left, when that is less than a tenth. Hints only ever tighten; those that cannot be read
     * are ignored. After a refusal the pause is longer than was asked for by a random time (a quarter of it, 1.25 s to 30 s, at most), so
     * that clients that were told the same do not come back at once.
     */
    public var learns: Boolean = true

    /**
     * The longest pause that an answer can ask for.
     *
     * @throws IllegalArgumentException if set to a duration that is not positive or not finite
     */
    public var maxPause: Duration = 1.hours
        set(value) {
            require(value.isPositive() && value.isFinite()) {
                "maxPause $value is not a positive time; write for example 1.hours, or learns = false"
            }
            field = value
        }

    /**
     * Whether refusals (429 and 503) halve the rate at which their bucket is used, down to 1/64, and good answers raise it again, by 5 % of
     * the limit a second, never above the limit: additive increase, multiplicative decrease (Chiu and Jain 1989). For servers that do not
     * tell their limits. Each process learns for itself.
     */
    public var adaptive: Boolean = false

    /**
     * The most that a request waits longer than its limits ask for, at random, one request of a bucket after another: for crawlers.
     * Zero for not at all.
     *
     * @throws IllegalArgumentException if set to a duration that is negative or not finite
     */
    public var jitter: Duration = Duration.ZERO
        set(value) {
            require(!value.isNegative() && value.isFinite()) {
                "jitter $value is not a time; write for example 500.milliseconds, or Duration.ZERO"
            }
            field = value
        }

    internal var random: Random = Random.Default
    internal var wallClock: () -> Instant = Instant::now

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
        val rule = Rule.Hosts(names, limits.toList())
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
            "otherHosts has the limits ${others?.limits} already; give all of them in one call, for example " +
                "otherHosts(1.perSecond, 1_000.perHour)"
        }
        others = Rule.OtherHosts(limits.toList())
    }

    /**
     * One bucket for each key that [key] finds in a request, besides that of its host; where it finds null, the rule is not about the
     * request. `limit("api key", 100.perMinute) { it.headers["X-Api-Key"] }`, or one bucket for all:
     * `limit("all", 50.perSecond) { "all" }`.
     *
     * Keys are compared by `equals`; on a shared store they are to be strings, numbers or other values whose `toString` tells them apart.
     * The function is called for each request that is sent, redirects and retries too; what it throws is the request's failure.
     *
     * @param name names the limiter in exceptions, events and shared stores; each name once
     * @throws IllegalArgumentException if there is no limit, or the name is blank or taken
     */
    public fun limit(
        name: String,
        vararg limits: RateLimit,
        key: (request: HttpRequestBuilder) -> Any?,
    ) {
        require(name.isNotBlank()) { "the name of a limit is empty; write for example limit(\"api key\", 100.perMinute) { … }" }
        require(limits.isNotEmpty()) { "limit '$name' has no limit; write for example limit(\"$name\", 100.perMinute) { … }" }
        val rule = Rule.By(name, limits.toList(), key)
        require(functions.none { it.name == rule.name }) { "there are two limits named '$name'; give each a name of its own" }
        functions += rule
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

    /**
     * What a request costs at each of its rules, 1 otherwise: `weight { if (it.method == HttpMethod.Post) 5 else 1 }`. A request that
     * costs more than a limit's burst can never be sent, and fails with [IllegalArgumentException].
     */
    public fun weight(permits: (request: HttpRequestBuilder) -> Long) {
        weigh = permits
    }

    /**
     * Asks the robots.txt of each host (RFC 9309) before the first request to it, and again after a day: what it disallows to [userAgent]
     * fails with [RequestDisallowedException], and requests are as far apart as its Crawl-delay says. A host without one allows all; one
     * whose server fails when asked for it (5xx, 429) allows nothing. Requests for robots.txt cost their permits like others. Needs
     * `com.github.crawler-commons:crawler-commons`; the header User-Agent is sent by Ktor's plugin of that name.
     *
     * @param userAgent the name of the crawler, `MyBot` or `MyBot/1.0 (+https://example.org/bot)`
     * @throws IllegalArgumentException if the name is blank
     * @throws IllegalStateException if crawler-commons is missing
     */
    public fun robots(userAgent: String) {
        require(userAgent.substringBefore('/').isNotBlank()) { "the user agent '$userAgent' has no name; write for example \"MyBot/1.0\"" }
        robotsOf = userAgent
    }

    /**
     * What is expected of a crawler: [robots]; one request at a time to each host, one a second at most (unless [otherHosts] was called
     * before) and up to half a second later; slower where servers refuse. Each can be changed afterwards.
     */
    public fun polite(userAgent: String) {
        robots(userAgent)
        if (others == null) otherHosts(RateLimit.perSecond(1.0).withBurst(1))
        maxInFlight = 1
        jitter = 500.milliseconds
        adaptive = true
    }

    internal val hasRules get() = named.isNotEmpty() || others != null || functions.isNotEmpty()

    internal fun rules(): Rules {
        require(hasRules || bandwidth != null) {
            "HttpRequestRateLimit has no rule and would limit nothing; write for example otherHosts(1.perSecond)"
        }
        checkNames()
        return Rules(named, others, functions, store, listener)
    }

    /** Rules of one name would share their buckets. */
    private fun checkNames() {
        val names = named.values.distinct().map { it.name } + listOfNotNull(others?.name)
        val twice = functions.firstOrNull { it.name in names }?.name?.removePrefix("http ")
        require(twice == null) { "the limit '$twice' is named like a rule about hosts; give it another name" }
    }

    internal fun bodies(): Bandwidth? = bandwidth?.build(store)

    internal fun learning() = Learning(learns, maxPause, adaptive, random)

    internal fun inFlight() = maxInFlight?.let(::InFlight)

    internal fun weigher() = weigh

    internal fun jitterer() = if (jitter == Duration.ZERO) null else Jitter(jitter, random, clock())

    internal fun robotsFor(client: HttpClient): Robots? {
        val userAgent = robotsOf ?: return null
        try {
            return Robots(client, store, clock(), userAgent)
        } catch (e: NoClassDefFoundError) {
            throw IllegalStateException(
                "robots needs the library com.github.crawler-commons:crawler-commons; add it to your dependencies",
                e,
            )
        }
    }

    internal fun clock(): NanoClock = (store as? LocalRateLimitStore)?.clock() ?: NanoClock.system()
}

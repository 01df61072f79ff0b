package dev.ratelimit.ktor.server

import dev.ratelimit.ktor.server.address.AddressSet
import dev.ratelimit.ktor.server.address.ClientAddresses
import dev.ratelimit.ktor.server.answers.Answers
import dev.ratelimit.ktor.server.decision.Setup
import dev.ratelimit.ktor.server.decision.Users
import dev.ratelimit.ktor.server.matching.PathPattern
import dev.ratelimit.ktor.server.matching.PathPrefix
import dev.ratelimit.ktor.server.monitoring.LONGEST_RETENTION
import dev.ratelimit.ktor.server.monitoring.Monitoring
import dev.ratelimit.ktor.server.monitoring.monitoring
import dev.ratelimit.ktor.server.rules.Rule
import dev.ratelimit.ktor.server.rules.Rulebook
import dev.ratelimit.ktor.server.settings.ConfigReader
import dev.ratelimit.ktor.server.settings.EnvironmentReader
import dev.ratelimit.spi.RateLimitStore
import io.ktor.server.application.Application
import io.ktor.server.application.ApplicationCall
import io.ktor.server.config.ApplicationConfig
import io.ktor.server.request.header
import io.ktor.utils.io.KtorDsl
import java.nio.file.Path
import java.time.Instant
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/**
 * The settings of [RateLimiting].
 *
 * Not thread-safe; used while the plugin is installed or reloaded, and never after.
 */
@KtorDsl
public class RateLimitingConfig internal constructor() {
    internal val patterns = LinkedHashMap<String, RuleConfig>()
    internal val named = LinkedHashMap<String, RuleConfig>()
    private var always: RuleConfig? = null
    private var users = Users.byPrincipal
    private var findApiKey: (ApplicationCall) -> String? = { it.request.header("X-API-Key")?.ifBlank { null } }
    private val proxies = mutableListOf<String>()
    private var forwarding = ForwardingHeader.X_FORWARDED_FOR
    private val bypassed = CallersConfig()
    private val denied = CallersConfig()
    private val answers = AnswersConfig()
    private var findTier: (ApplicationCall) -> String? = { null }
    internal var redisUri: String? = null
    internal var watched: Watched? = null
    internal var admin: RateLimitAdminConfig? = null
    internal var wallClock: () -> Instant = Instant::now

    /**
     * Where the buckets are; by default memory of this application's own. Not changed by a reload, so a block that is to be reloaded
     * takes a store that was made outside of it. It is not closed with the application.
     */
    public var store: RateLimitStore? = null

    /** The emergency switch as it is in the beginning; see [RateLimitingControl.isEnabled]. */
    public var isEnabled: Boolean = true

    /** Whether all rules are only tried out; see [RuleConfig.shadow]. */
    public var shadow: Boolean = false

    /** Whether upper and lower case in paths make no difference: for routes, and file systems behind them, that ignore it too. */
    public var ignoreCase: Boolean = false

    /**
     * Whether calls are let through while the store cannot answer; otherwise they get 503. What a store decides by itself meanwhile
     * holds.
     */
    public var failOpen: Boolean = true

    /**
     * How long a call may be kept waiting for its turn at a leaky bucket; one that would have to wait longer is refused at once.
     *
     * @throws IllegalArgumentException if set to a time that is negative
     */
    public var maxWait: Duration = MAX_WAIT.seconds
        set(value) {
            require(!value.isNegative()) { "maxWait $value is negative; write for example 10.seconds, or Duration.ZERO to refuse at once" }
            field = value
        }

    /**
     * The part of a limit from which on a call is near it: [RateLimitingEvents.NearLimit] is raised, and the answer has
     * `X-RateLimit-Warning`. Null for never. Where a call has several limits, each call that is let through costs one more round trip to a
     * store that is not in this process.
     *
     * @throws IllegalArgumentException if set to a number that is not between 0 and 1
     */
    public var warnAt: Double? = null
        set(value) {
            require(value == null || (value > 0 && value <= 1)) { "warnAt $value is no part of a limit; write for example 0.8, or null" }
            field = value
        }

    /**
     * How many bits of an IPv6 address stand for one client, 64 by default: whoever has one address has the whole network.
     *
     * @throws IllegalArgumentException if not between 1 and 128
     */
    public var ipv6Prefix: Int = IPV6_NETWORK
        set(value) {
            require(value in 1..IPV6_BITS) { "ipv6Prefix $value is no number of bits; write 64, or $IPV6_BITS for single addresses" }
            field = value
        }

    /** Whether decisions are counted. Not changed by a reload. */
    public var monitoring: Boolean = true

    /**
     * How long counts are kept. Not changed by a reload.
     *
     * @throws IllegalArgumentException if less than a minute or more than 31 days
     */
    public var metricsRetention: Duration = DAYS.days
        set(value) {
            require(value in 1.minutes..LONGEST_RETENTION) {
                "metricsRetention $value is not between a minute and $LONGEST_RETENTION; write for example 7.days"
            }
            field = value
        }

    /**
     * A rule for calls by path, and by method if one stands before it: `POST:/auth/…`, where `…` is a star. `{id}` and a star between two
     * slashes are one part of the path, a star at the end is all that follows (or nothing), and a pattern that begins with a star and a
     * slash is found anywhere in a path. `report-{id}.pdf` is a part that begins and ends so. Of several that match the most specific
     * rules: the one that names more parts of the path.
     *
     * Paths are compared as routing sees them: decoded, without empty parts, whatever slash is at the end. HEAD counts as GET.
     *
     * @throws IllegalArgumentException if the pattern cannot be meant, or a rule has it already
     */
    public fun rule(
        pattern: String,
        configure: RuleConfig.() -> Unit,
    ) {
        require(pattern !in patterns) { "there are two rules '$pattern'; write their limits in one" }
        patterns[pattern] = RuleConfig(pattern).apply(configure)
    }

    /** A rule for all calls, beside the one that is about the call's path. */
    public fun everywhere(configure: RuleConfig.() -> Unit) {
        require(always == null) { "everywhere is given twice; give all of its limits in one call" }
        always = RuleConfig(EVERYWHERE).apply(configure)
    }

    /**
     * A rule for the routes inside of [rateLimited] of the same name.
     *
     * @throws IllegalArgumentException if the name is blank or taken
     */
    public fun limit(
        name: String,
        configure: RuleConfig.() -> Unit,
    ) {
        require(name.isNotBlank()) { "the name of a limit is empty; write for example limit(\"search\") { … }" }
        require(name !in named) { "there are two limits '$name'; give each a name of its own" }
        named[name] = RuleConfig(name).apply(configure)
    }

    /**
     * Who a call's user is; by default the name of its principal. Null for none.
     *
     * @param afterAuthentication whether [find] needs the principal; if not, limits by user are asked together with the others
     */
    public fun user(
        afterAuthentication: Boolean = true,
        find: (call: ApplicationCall) -> Any?,
    ) {
        users = Users(afterAuthentication, find)
    }

    /** Where a call's API key is; by default in the header `X-API-Key`. Null for none. */
    public fun apiKey(find: (call: ApplicationCall) -> String?) {
        findApiKey = { call -> find(call)?.ifBlank { null } }
    }

    /**
     * Addresses and CIDR blocks of proxies that are believed who the client is. Without them it is the peer of the connection.
     *
     * @param header the one that they write
     * @throws IllegalArgumentException when the plugin is installed, if one is neither
     */
    public fun trustedProxies(
        vararg cidrs: String,
        header: ForwardingHeader = ForwardingHeader.X_FORWARDED_FOR,
    ) {
        proxies += cidrs
        forwarding = header
    }

    /** Callers that no limit is asked about. */
    public fun bypass(configure: CallersConfig.() -> Unit): Unit = bypassed.configure()

    /** Callers that get 403, whatever the emergency switch says. */
    public fun deny(configure: CallersConfig.() -> Unit): Unit = denied.configure()

    /**
     * What `application.conf` or `application.yaml` says: `from(environment.config.config("rateLimiting"))`. Limits are written as
     * [RateLimit.parse][dev.ratelimit.RateLimit.parse] reads them. What is set in code after it replaces it.
     *
     * ```yaml
     * rateLimiting:
     *   environment: production
     *   trustedProxies: ["10.0.0.0/8"]
     *   tiers: [free, premium, enterprise]
     *   rules:
     *     - match: "POST:/auth/…"
     *       perIp: ["5/5m fixed-window", "10/1h sliding-log"]
     *     - match: "/api/…"
     *       perUser: tiers
     *       perIp: 100/1m burst 150
     * ```
     *
     * @throws IllegalArgumentException if a setting is not known, naming the one that was probably meant, or cannot be meant
     */
    public fun from(config: ApplicationConfig): Unit = ConfigReader(this) { call -> findTier(call) }.read(config.toMap())

    /** Which of the tiers of a configuration file a call has; see [RateLimitTiers]. */
    public fun tier(find: (call: ApplicationCall) -> String?) {
        findTier = find
    }

    /** The settings for a place where the application runs: [shadow] and [warnAt], whatever they were before; set others after it. */
    public fun environment(environment: RateLimitEnvironment) {
        shadow = environment == RateLimitEnvironment.DEVELOPMENT
        warnAt = if (environment == RateLimitEnvironment.STAGING) STAGING_WARNING else null
    }

    /**
     * What environment variables say, where they are set: `REDIS_URL` (the store, unless there is one), `RATE_LIMITING_ENABLED`,
     * `ENABLE_RATE_LIMIT_MONITORING`, `METRICS_RETENTION_DAYS`, `ENVIRONMENT` (development, staging or production). `REDIS_POOL_SIZE` is
     * read too and needs nothing, because one connection serves all calls. The store of `REDIS_URL` is closed with the application, may be
     * away when that starts, and has the default prefix of keys: applications that share a Redis and not their limits set [store], each
     * with a [prefix][dev.ratelimit.jvm.RedisStoreBuilder.keyPrefix] of its own.
     *
     * @throws IllegalArgumentException if one of them cannot be meant
     */
    public fun fromEnvironment(): Unit = fromEnvironment(System.getenv())

    internal fun fromEnvironment(variables: Map<String, String>) = EnvironmentReader(this, variables).read()

    /**
     * Reloads the settings whenever [file] has changed, by the block that the plugin was installed with: let that read the file,
     * `from(ConfigLoader.load("application.yaml").config("rateLimiting"))`. Settings that cannot be meant are logged, and change nothing.
     */
    public fun watch(
        file: Path,
        every: Duration = 2.seconds,
    ) {
        require(every.isPositive() && every.isFinite()) { "every $every is no span of time; write for example 2.seconds" }
        watched = Watched(file, every)
    }

    /**
     * Routes that show and steer the limits, and a dashboard, under [RateLimitAdminConfig.prefix]. No rule is about paths that begin with
     * it; put nothing else there. Not changed by a reload. Without this there are none.
     */
    public fun admin(configure: RateLimitAdminConfig.() -> Unit) {
        admin = (admin ?: RateLimitAdminConfig()).apply(configure)
    }

    /** What answers say of limits. */
    public fun answers(configure: AnswersConfig.() -> Unit): Unit = answers.configure()

    /** @throws IllegalArgumentException naming what cannot be meant */
    internal fun build(
        store: RateLimitStore,
        rootPath: String,
        exempt: String? = null,
    ): Setup {
        require(patterns.isNotEmpty() || named.isNotEmpty() || always != null) {
            "RateLimiting has no rule and would limit nothing; write for example rule(\"/*\") { perIp(100.perMinute) }"
        }
        val book =
            Rulebook.of(patterns.values.toList(), always, named.values, ignoreCase, rootPath) { config, isNamed ->
                Rule.of(config, isNamed, shadow, users.afterAuthentication).also { check(it, store) }
            }
        val prefix = exempt?.let { PathPrefix(rootPath, it) }
        val unreachable = patterns.keys.firstOrNull { prefix?.covers(PathPattern.parse(it)) == true }
        require(unreachable == null) {
            "rule '$unreachable' is about the admin routes under '$exempt', which no rule is asked about; " +
                "leave it out, or choose another prefix"
        }
        val bypass = bypassed.build()
        val deny = denied.build()
        val addresses = ClientAddresses(AddressSet(proxies), forwarding, ipv6Prefix, bypass.needsAddress || deny.needsAddress)
        return Setup(
            book,
            addresses,
            users,
            findApiKey,
            bypass,
            deny,
            Answers(answers, wallClock),
            warnAt,
            maxWait.inWholeNanoseconds,
            failOpen,
            prefix,
        )
    }

    internal fun monitoringOf(
        store: RateLimitStore,
        application: Application,
    ): Monitoring = if (monitoring) monitoring(store, metricsRetention, application) else Monitoring.None

    private fun check(
        rule: Rule,
        store: RateLimitStore,
    ) {
        for (limit in rule.scopes.flatMap { it.limits }) {
            try {
                store.check(limit)
            } catch (e: IllegalArgumentException) {
                throw IllegalArgumentException("rule '${rule.name}': ${e.message}", e)
            }
        }
    }

    /** A file, and how often to look at it. */
    internal class Watched(
        val file: Path,
        val every: Duration,
    )

    internal companion object {
        private const val STAGING_WARNING = 0.8
        const val EVERYWHERE = "everywhere"
        private const val IPV6_NETWORK = 64
        private const val IPV6_BITS = 128
        private const val DAYS = 7
        private const val MAX_WAIT = 30
    }
}

package dev.ratelimit.ktor.server

import dev.ratelimit.RateLimit
import dev.ratelimit.ktor.server.rules.KeySource
import dev.ratelimit.ktor.server.rules.ScopeDraft
import io.ktor.server.application.ApplicationCall
import io.ktor.utils.io.KtorDsl

/**
 * The limits of one rule. All of them rule together: a call is charged to all, or refused and charged to none.
 *
 * Calls of one function add up: `perIp(5.perMinute); perIp(100.perDay)` is `perIp(5.perMinute, 100.perDay)`.
 *
 * Not thread-safe; used while the plugin is installed or reloaded, and never after.
 */
@KtorDsl
public class RuleConfig internal constructor(
    internal val rule: String,
) {
    internal val scopes = LinkedHashMap<String, ScopeDraft>()
    internal var weigh: ((ApplicationCall) -> Long)? = null
    internal var fixedWeight: Long = 1

    /** Whether this rule is only tried out: it counts, and tells whom it would have refused, but refuses nobody. */
    public var shadow: Boolean = false

    /** Whether the next specific rule that matches rules too; otherwise the most specific one rules alone. */
    public var fallThrough: Boolean = false

    /** A bucket for each client address; see [RateLimitingConfig.trustedProxies] and [RateLimitingConfig.ipv6Prefix]. */
    public fun perIp(vararg limits: RateLimit): Unit = add(IP, KeySource.Ip, limits.toList())

    /** As the function with limits, by tier. */
    public fun perIp(tiers: RateLimitTiers): Unit = add(IP, KeySource.Ip, tiers = tiers)

    /**
     * A bucket for each user; see [RateLimitingConfig.user]. Calls without one are counted by client address, against limits of the same
     * numbers. It is asked after authentication. In a rule that has no limit by address, by endpoint or for all beside it, every call
     * counts as one for its address until it is authenticated, so that failed logins are limited too, and no more calls of an address than
     * the limit (of the first tier) has permits are authenticated at a time. What the user's limit refuses was authenticated, and costs its
     * address nothing.
     */
    public fun perUser(vararg limits: RateLimit): Unit = add(USER, KeySource.User, limits.toList())

    /** As the function with limits, by tier: `perUser(RateLimitTiers(FREE, PREMIUM) { it.principal<Customer>()?.plan })`. */
    public fun perUser(tiers: RateLimitTiers): Unit = add(USER, KeySource.User, tiers = tiers)

    /**
     * A bucket for each API key; see [RateLimitingConfig.apiKey]. Calls without one are counted by client address, against limits of the
     * same numbers. Keys are hashed (SHA-256) before they get anywhere. Whether a key is a valid one is not asked: beside it, limit by
     * address.
     */
    public fun perApiKey(vararg limits: RateLimit): Unit = add(API_KEY, KeySource.ApiKey, limits.toList(), isSecret = true)

    /** As the function with limits, by tier. */
    public fun perApiKey(tiers: RateLimitTiers): Unit = add(API_KEY, KeySource.ApiKey, tiers = tiers, isSecret = true)

    /**
     * A bucket for each method and path of routes, such as `GET /users/{id}`; calls that no route answers share one. It is asked when the
     * route is known.
     */
    public fun perEndpoint(vararg limits: RateLimit): Unit = add(ENDPOINT, KeySource.Endpoint, limits.toList())

    /** One bucket for all calls of the rule. */
    public fun global(vararg limits: RateLimit): Unit = add(GLOBAL, KeySource.Global, limits.toList())

    /**
     * A bucket for each key that [key] finds; where it finds null, this limit is not about the call. Keys are texts, numbers, or other
     * values with a `toString` that tells them apart. Whoever can invent keys has a bucket for each: beside it, limit by address.
     *
     * @param name names the limit in answers, metrics and the store
     * @param secret whether keys may be secrets, and are hashed before they get anywhere
     * @param afterAuthentication whether [key] needs the principal; calls whose authentication fails are not counted then
     */
    public fun per(
        name: String,
        vararg limits: RateLimit,
        secret: Boolean = false,
        afterAuthentication: Boolean = false,
        key: (call: ApplicationCall) -> Any?,
    ): Unit = add(checkedName(name), KeySource.By(afterAuthentication, key), limits.toList(), isSecret = secret)

    /** As the function with limits, by tier. */
    public fun per(
        name: String,
        tiers: RateLimitTiers,
        secret: Boolean = false,
        afterAuthentication: Boolean = false,
        key: (call: ApplicationCall) -> Any?,
    ): Unit = add(checkedName(name), KeySource.By(afterAuthentication, key), tiers = tiers, isSecret = secret)

    /**
     * What each call costs, 1 otherwise.
     *
     * @throws IllegalArgumentException if not positive
     */
    public fun weight(permits: Long) {
        require(permits >= 1) { "weight $permits of rule '$rule' is not positive; write 1 or more" }
        fixedWeight = permits
        weigh = null
    }

    /**
     * What a call costs: `weight { if (it.request.queryParameters["export"] != null) 10 else 1 }`. A call that costs more than a limit can
     * ever grant is refused; one that costs less than 1 fails.
     */
    public fun weight(permits: (call: ApplicationCall) -> Long) {
        weigh = permits
    }

    private fun checkedName(name: String): String {
        require(name.isNotBlank() && name.all { it in LETTERS }) {
            "the limit's name '$name' in rule '$rule' is not made of ASCII letters, digits, '-' and '_'; write for example \"tenant\""
        }
        require(name !in RESERVED) { "the limit's name '$name' in rule '$rule' is taken; write another, or use the function for it" }
        return name
    }

    private fun add(
        name: String,
        source: KeySource,
        limits: List<RateLimit> = emptyList(),
        tiers: RateLimitTiers? = null,
        isSecret: Boolean = false,
    ) {
        require(tiers != null || limits.isNotEmpty()) { "'$name' of rule '$rule' has no limit; write for example 100.perMinute" }
        val before = scopes[name]
        require(before == null || (tiers == null && before.tiers == null && source !is KeySource.By)) {
            "'$name' of rule '$rule' is given twice; give all of its limits, or all of its tiers, in one call"
        }
        scopes[name] = ScopeDraft(name, source, before?.limits.orEmpty() + limits, tiers, isSecret)
    }

    internal companion object {
        const val IP = "ip"
        const val USER = "user"
        const val API_KEY = "api-key"
        const val ENDPOINT = "endpoint"
        const val GLOBAL = "global"
        const val BY_IP = "-by-ip"
        private val LETTERS = ('a'..'z') + ('A'..'Z') + ('0'..'9') + "-_".toList()
        private val RESERVED = setOf(IP, USER, API_KEY, ENDPOINT, GLOBAL, USER + BY_IP, API_KEY + BY_IP)
    }
}

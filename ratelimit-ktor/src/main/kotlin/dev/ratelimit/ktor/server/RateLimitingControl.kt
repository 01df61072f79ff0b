package dev.ratelimit.ktor.server

import dev.ratelimit.RateLimitResult
import kotlin.time.Duration

/** Sees and steers an installed [RateLimiting] while it runs: `application.rateLimiting`. Thread-safe. */
public interface RateLimitingControl {
    /**
     * The emergency switch: while false, every call is let through and none is charged. The deny-list holds all the same.
     *
     * What is set acts here at once. Where the store counts for all instances (a [TallyStore][dev.ratelimit.spi.TallyStore], as the Redis
     * store is), it is the switch of all: the others follow within about a second, as soon as they and this one reach the store, and an
     * instance that starts while it is off begins so. Elsewhere it is this instance's own.
     */
    public var isEnabled: Boolean

    /** Whether [isEnabled] is the switch of all instances that share the store, and not of this one alone. */
    public val isSwitchShared: Boolean

    /** The rules in force. */
    public val rules: List<RateLimitRuleInfo>

    /**
     * What one more call with [key] would find at each limit of the [scope] of a [rule], in the limits' order; changes nothing.
     *
     * @param key null where the scope has no keys; of a secret, itself or the hash that is shown of it
     * @param tier of a scope with tiers; the first by default
     * @throws IllegalArgumentException if there is no such rule, scope or tier, or the key is missing or too much
     */
    public suspend fun peek(
        rule: String,
        scope: String,
        key: String?,
        tier: String? = null,
    ): List<RateLimitResult>

    /**
     * Forgets what was used at the limits of one bucket.
     *
     * @throws IllegalArgumentException as [peek]
     */
    public suspend fun reset(
        rule: String,
        scope: String,
        key: String?,
    )

    /**
     * Takes other rules and settings from now on, all or none of them; the store, the monitoring and the admin routes stay as they are, and
     * [isEnabled] changes if the settings now say otherwise than they did. Buckets of a limit that has other numbers keep what is left in
     * them (a token bucket its tokens, a window its counts); with another algorithm or period it is another limit, whose buckets are full.
     *
     * @throws IllegalArgumentException if the settings cannot be meant; nothing has changed then
     */
    public fun reload(configure: RateLimitingConfig.() -> Unit)

    /** As the other function, by the block that was last given: it reads its configuration again. */
    public fun reload()

    /**
     * Whether the store has answered when it was last asked: where it counts for all instances, by this one, about every second; elsewhere
     * by a call. Asks nothing itself.
     */
    public val isStoreUp: Boolean

    /** Asks the store, to tell whether it answers. */
    public suspend fun health(): RateLimitHealth

    /**
     * What happened in the last [window], up to the retention; see [RateLimitMetrics.isShared].
     *
     * @param byEndpoint whether endpoints are told too, of which there may be many
     */
    public suspend fun metrics(
        window: Duration,
        byEndpoint: Boolean = false,
    ): RateLimitMetrics

    /** What this instance has counted since it started, by the rule's name; under the empty name, of all calls. */
    public fun counts(): Map<String, RateLimitCounts>
}

/**
 * Whether the store answers.
 *
 * @property store what it is, in words, without secrets
 * @property isUp whether it has answered a question just now
 * @property roundTrip how long that took
 */
public class RateLimitHealth(
    public val store: String,
    public val isUp: Boolean,
    public val roundTrip: Duration,
)

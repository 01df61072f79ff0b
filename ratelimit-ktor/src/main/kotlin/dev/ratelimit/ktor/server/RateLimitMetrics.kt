package dev.ratelimit.ktor.server

import java.time.Instant
import kotlin.time.Duration

/**
 * What happened to calls in a span of time. An immutable value; see [RateLimitingControl.metrics].
 *
 * @property window the span that was asked for
 * @property from its beginning, a whole minute
 * @property to the time of the answer
 * @property isShared whether the counts are of all instances that share the store, or of this one alone
 * @property totals of all calls that a rule is about, and of those that no limit was asked about; a call counts once, when it ends
 * @property rules by the rule's name
 * @property endpoints the totals again, by the endpoint's name: a route's method and path, such as `GET /users/{id}`, or `(no route)`;
 *   empty unless it was asked for
 * @property minutes of the same calls as the totals, oldest first; minutes without a call are left out
 * @property topKeys who was refused most, most first; refusals that a rule in shadow would have made count too
 * @property topEndpoints what was refused most, likewise
 */
public class RateLimitMetrics(
    public val window: Duration,
    public val from: Instant,
    public val to: Instant,
    public val isShared: Boolean,
    public val totals: RateLimitCounts,
    public val rules: Map<String, RateLimitCounts>,
    public val endpoints: Map<String, RateLimitCounts>,
    public val minutes: List<RateLimitMinute>,
    public val topKeys: List<DeniedKey>,
    public val topEndpoints: List<DeniedEndpoint>,
)

/**
 * Counts of decisions. An immutable value.
 *
 * @property allowed calls that were let through, by a limit
 * @property denied calls that a limit refused
 * @property shadowDenied calls that were let through, though a rule that is only tried out would have refused them
 * @property bypassed calls that no limit was asked about
 * @property blocked calls on the deny-list
 * @property failedOpen calls that were let through because the store was away
 * @property failedClosed calls that were refused because the store was away
 * @property decisionTime what all these decisions took together
 * @property longestDecision the longest of them
 */
public class RateLimitCounts(
    public val allowed: Long,
    public val denied: Long,
    public val shadowDenied: Long,
    public val bypassed: Long,
    public val blocked: Long,
    public val failedOpen: Long,
    public val failedClosed: Long,
    public val decisionTime: Duration,
    public val longestDecision: Duration,
) {
    /** All calls. */
    public val requests: Long get() = allowed + denied + shadowDenied + bypassed + blocked + failedOpen + failedClosed

    /** The part of the calls that was refused by a limit, from 0 to 1. */
    public val denialRate: Double get() = if (requests == 0L) 0.0 else denied.toDouble() / requests
}

/** The counts of the minute that begins [at]. */
public class RateLimitMinute(
    public val at: Instant,
    public val counts: RateLimitCounts,
)

/** How often [key] was refused by [scope] of [rule], at least; the key is a hash where it may be a secret. */
public class DeniedKey(
    public val rule: String,
    public val scope: String,
    public val key: String,
    public val denied: Long,
)

/** How often calls of [endpoint], a route's method and path such as `GET /users/{id}`, were refused, at least. */
public class DeniedEndpoint(
    public val endpoint: String,
    public val denied: Long,
)

package dev.ratelimit.ktor.server

import dev.ratelimit.RateLimitResult
import kotlin.time.Duration

/**
 * Why a call is refused. An immutable value.
 *
 * @property rule the rule's name; empty for the deny-list
 * @property scope the limits that refused it, such as `ip`; null where it was none
 * @property policy the one of them with the longest wait, as answers call it
 * @property violatedPolicies all limits that refused it, [policy] first; none where it was no limit. In a store beyond this process only
 *   those with the same numbers as [policy]: to ask for the others would double what a refusal costs
 * @property result what the store answered; null where it did not
 * @property retryAfter when the same call may pass; null where it never will
 */
public class RateLimitRefusal internal constructor(
    public val reason: Reason,
    public val rule: String,
    public val scope: String?,
    public val policy: String?,
    public val violatedPolicies: List<String>,
    public val result: RateLimitResult?,
    public val retryAfter: Duration?,
    public val detail: String,
) {
    /** Four different noes. */
    public enum class Reason {
        /** A limit has no permits left: 429. */
        LIMIT,

        /** The call weighs more than the limit ever grants at once: 429, without a time to come back. */
        TOO_HEAVY,

        /** The store is away, and calls are refused meanwhile: 503. It says nothing about limits. */
        OUTAGE,

        /** The caller is on the deny-list: 403. */
        BLOCKED,
    }

    override fun toString(): String = detail
}

package dev.ratelimit.ktor.server

import dev.ratelimit.RateLimit

/**
 * A rule in force, as [RateLimitingControl.rules] tells it. An immutable value.
 *
 * @property name the pattern as it was written, or the name of a rule of routes, or `everywhere`
 * @property isShadow whether the rule is only tried out, and refuses nobody
 */
public class RateLimitRuleInfo(
    public val name: String,
    public val isShadow: Boolean,
    public val scopes: List<RateLimitScopeInfo>,
)

/**
 * Limits of one rule that count by the same key.
 *
 * @property name `ip`, `user`, `api-key`, `endpoint`, `global`, or the user's own
 * @property limits in force, all together; empty where they depend on the tier
 * @property tiers the limits of each tier by its name; empty where there are none
 * @property hasKeys whether there is a bucket for each key, or one for all
 * @property isSecret whether keys may be secrets, and are kept and shown as hashes only
 */
public class RateLimitScopeInfo(
    public val name: String,
    public val limits: List<RateLimit>,
    public val tiers: Map<String, List<RateLimit>>,
    public val hasKeys: Boolean,
    public val isSecret: Boolean,
)

package dev.ratelimit.ktor.server

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perMinute
import io.ktor.server.application.ApplicationCall

/**
 * Limits that go together under a name: a plan that a customer has. An immutable value.
 *
 * @throws IllegalArgumentException if the name is blank or there is no limit
 */
public class RateLimitTier(
    public val name: String,
    vararg limits: RateLimit,
) {
    /** All of them rule. */
    public val limits: List<RateLimit> = limits.toList()

    init {
        require(name.isNotBlank()) { "the name of a tier is empty; write for example RateLimitTier(\"free\", 100.perHour)" }
        require(limits.isNotEmpty()) { "tier '$name' has no limit; write for example RateLimitTier(\"$name\", 100.perHour)" }
    }

    override fun toString(): String = "$name ${limits.joinToString()}"

    /** Tiers that are ready. */
    public companion object {
        private const val PREMIUM_BURST = 100L
        private const val ENTERPRISE_BURST = 500L

        /** `free`: 100 an hour, 10 a minute. */
        @JvmField
        public val FREE: RateLimitTier = RateLimitTier("free", 100.perHour, 10.perMinute)

        /** `premium`: 1,000 an hour, 50 a minute with bursts of 100. */
        @JvmField
        public val PREMIUM: RateLimitTier = RateLimitTier("premium", 1_000.perHour, 50.perMinute.withBurst(PREMIUM_BURST))

        /** `enterprise`: 10,000 an hour, 200 a minute with bursts of 500. */
        @JvmField
        public val ENTERPRISE: RateLimitTier = RateLimitTier("enterprise", 10_000.perHour, 200.perMinute.withBurst(ENTERPRISE_BURST))
    }
}

/**
 * Tiers, and which of them a call has: `perUser(RateLimitTiers(FREE, PREMIUM) { it.principal<Customer>()?.plan })`. Whoever has none, or
 * one that is not there, has the first. A key that changes its tier keeps what it has left of limits with the same algorithm and period;
 * others begin anew.
 *
 * The principal is known where limits are asked after authentication: by user, and by functions that say so. For others the tier is chosen
 * by what the call brings, such as its API key.
 *
 * @param choose the name of the call's tier, in any case
 * @throws IllegalArgumentException if there is no tier, or two have one name
 */
public class RateLimitTiers(
    vararg tiers: RateLimitTier,
    internal val choose: (call: ApplicationCall) -> String?,
) {
    /** In order; the first is that of whoever has none. */
    public val tiers: List<RateLimitTier> = tiers.toList()

    init {
        require(tiers.isNotEmpty()) { "there are no tiers; write for example RateLimitTiers(FREE, PREMIUM) { … }" }
        val twice = tiers.groupBy { it.name.lowercase() }.values.firstOrNull { it.size > 1 }
        require(twice == null) { "there are two tiers named '${twice?.first()?.name}'; give each a name of its own" }
    }
}

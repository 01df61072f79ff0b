package dev.ratelimit.ktor.server.rules

import dev.ratelimit.RateLimit
import dev.ratelimit.ktor.server.RateLimitScopeInfo
import dev.ratelimit.ktor.server.RateLimitTier
import dev.ratelimit.ktor.server.RuleConfig
import dev.ratelimit.spi.BucketKey
import io.ktor.server.application.ApplicationCall
import org.slf4j.LoggerFactory

/** Limits of one rule by one key. */
internal class Scope private constructor(
    val rule: String,
    val name: String,
    val source: KeySource,
    val stage: Stage,
    val isSecret: Boolean,
    private val tiers: List<RateLimitTier>,
    private val policies: List<List<Policy>>,
    private val choose: ((ApplicationCall) -> String?)?,
    /** Those of calls that have no key, counted by their address. */
    val byAddress: Scope?,
) {
    private val limiter = "http $rule $name"

    val hasKeys: Boolean get() = source != KeySource.Global

    val limits: List<RateLimit> get() = policies.flatten().map { it.limit }

    val allPolicies: List<Policy> get() = policies.flatten()

    /** Those of whoever has no tier. */
    val ordinary: List<Policy> get() = policies[0]

    fun policies(call: ApplicationCall): List<Policy> {
        val choose = choose ?: return policies[0]
        val tier = choose(call) ?: return policies[0]
        val found = tiers.indexOfFirst { it.name.equals(tier, ignoreCase = true) }
        if (found < 0) log.debug("rule '{}': there is no tier '{}'; the call has the tier '{}'", rule, tier, tiers[0].name)
        return policies[found.coerceAtLeast(0)]
    }

    /** @throws IllegalArgumentException if there is no such tier */
    fun policies(tier: String?): List<Policy> {
        if (tier == null) return policies[0]
        val found = tiers.indexOfFirst { it.name.equals(tier, ignoreCase = true) }
        require(found >= 0) { "'$name' of rule '$rule' has no tier '$tier'; it has ${tiers.map { it.name }}" }
        return policies[found]
    }

    fun bucket(
        key: String?,
        policy: Policy,
    ) = BucketKey(limiter, key, policy.slot)

    fun info() =
        RateLimitScopeInfo(
            name,
            if (choose == null) policies[0].map { it.limit } else emptyList(),
            if (choose == null) emptyMap() else tiers.associate { it.name to it.limits },
            hasKeys,
            isSecret,
        )

    companion object {
        private val log = LoggerFactory.getLogger(Scope::class.java)

        fun of(
            rule: String,
            draft: ScopeDraft,
            stage: Stage,
        ): Scope {
            val byAddress =
                if (draft.source == KeySource.User || draft.source == KeySource.ApiKey) {
                    val name = draft.name + RuleConfig.BY_IP
                    make(rule, ScopeDraft(name, KeySource.Ip, draft.limits, draft.tiers, false), stage, null, null)
                } else {
                    null
                }
            return make(rule, draft, stage, draft.tiers?.choose, byAddress)
        }

        private fun make(
            rule: String,
            draft: ScopeDraft,
            stage: Stage,
            choose: ((ApplicationCall) -> String?)?,
            byAddress: Scope?,
        ): Scope {
            val tiers = draft.tiers?.tiers.orEmpty()
            val policies = if (tiers.isEmpty()) listOf(draft.limits) else tiers.map { it.limits }
            return Scope(
                rule,
                draft.name,
                draft.source,
                stage,
                draft.isSecret,
                tiers,
                policies.map { Policy.of(draft.name, it) },
                choose,
                byAddress,
            )
        }
    }
}

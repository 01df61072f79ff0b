package dev.ratelimit.ktor.server.rules

import dev.ratelimit.ktor.server.RateLimitRuleInfo
import dev.ratelimit.ktor.server.RuleConfig
import io.ktor.server.application.ApplicationCall
import java.util.EnumSet

/**
 * A rule in force.
 *
 * @property isShadow whether it refuses nobody, by itself or because all rules are tried out
 * @property isTrial whether it is only tried out, unlike others; it takes no part in what they decide
 * @property guard of a rule by user in which nothing counts every call before authentication: counts calls by their address until they are
 *   authenticated
 */
internal class Rule private constructor(
    val name: String,
    val scopes: List<Scope>,
    val isShadow: Boolean,
    val isTrial: Boolean,
    val fallsThrough: Boolean,
    val guard: Scope?,
    val first: Stage,
    private val fixedWeight: Long,
    private val weigh: ((ApplicationCall) -> Long)?,
) {
    private val stages: Set<Stage> = EnumSet.copyOf(scopes.map { it.stage } + listOfNotNull(guard?.let { first }))

    fun isAskedAt(stage: Stage) = stage in stages

    /**
     * @throws IllegalArgumentException if the weight that was found for the call is not positive: the call fails, and is not let through
     */
    fun permits(call: ApplicationCall): Long {
        val permits = weigh?.invoke(call) ?: return fixedWeight
        require(permits >= 1) { "the weight of a call at rule '$name' is $permits; it has to be 1 or more" }
        return permits
    }

    /** @throws IllegalArgumentException if there is no such scope */
    fun scope(name: String): Scope {
        val all = scopes + scopes.mapNotNull { it.byAddress }
        val found = all.firstOrNull { it.name == name }
        require(found != null) { "rule '${this.name}' has no limits '$name'; it has ${all.map { it.name }}" }
        return found
    }

    fun info() = RateLimitRuleInfo(name, isShadow, scopes.flatMap { listOfNotNull(it, it.byAddress) }.map { it.info() })

    companion object {
        /**
         * @param isNamed whether routes name the rule, instead of a pattern of its own
         * @param isDryRun whether all rules are tried out
         * @throws IllegalArgumentException if the rule would limit nothing, or a call could never pass it
         */
        fun of(
            config: RuleConfig,
            isNamed: Boolean,
            isDryRun: Boolean,
            userAfterAuthentication: Boolean,
        ): Rule {
            val name = config.rule
            require(config.scopes.isNotEmpty()) {
                "rule '$name' has no limits and would limit nothing; write for example perIp(100.perMinute)"
            }
            val first = if (isNamed) Stage.ROUTED else Stage.ARRIVAL
            val scopes = config.scopes.values.map { Scope.of(name, it, stage(it.source, first, userAfterAuthentication)) }
            val tooSmall = scopes.flatMap { it.limits }.firstOrNull { it.burst() < config.fixedWeight }
            require(tooSmall == null) {
                "rule '$name' has the weight ${config.fixedWeight}, but $tooSmall never grants more than ${tooSmall?.burst()} at once"
            }
            val user = scopes.firstOrNull { it.source == KeySource.User && it.stage == Stage.AUTHENTICATED }
            val guard = user?.byAddress.takeIf { scopes.none(::countsEveryCall) }
            return Rule(
                name,
                scopes,
                isDryRun || config.shadow,
                config.shadow,
                config.fallThrough,
                guard,
                first,
                config.fixedWeight,
                config.weigh,
            )
        }

        /** Whatever the caller says of itself: a new API key with each guess of a password would be a new bucket for each. */
        private fun countsEveryCall(scope: Scope) =
            when (scope.source) {
                KeySource.Ip, KeySource.Global, KeySource.Endpoint -> true
                KeySource.User, KeySource.ApiKey, is KeySource.By -> false
            }

        private fun stage(
            source: KeySource,
            first: Stage,
            userAfterAuthentication: Boolean,
        ): Stage =
            when (source) {
                KeySource.Endpoint -> Stage.ROUTED
                KeySource.User -> if (userAfterAuthentication) Stage.AUTHENTICATED else first
                is KeySource.By -> if (source.afterAuthentication) Stage.AUTHENTICATED else first
                else -> first
            }
    }
}

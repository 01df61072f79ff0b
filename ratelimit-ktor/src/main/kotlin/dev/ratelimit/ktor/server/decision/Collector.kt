package dev.ratelimit.ktor.server.decision

import dev.ratelimit.ktor.server.rules.KeySource
import dev.ratelimit.ktor.server.rules.Keys
import dev.ratelimit.ktor.server.rules.Policy
import dev.ratelimit.ktor.server.rules.Rule
import dev.ratelimit.ktor.server.rules.Scope
import dev.ratelimit.ktor.server.rules.Stage
import dev.ratelimit.spi.Charge

/** A call that costs more than [policy] ever grants at once. */
internal class TooHeavy(
    val rule: Rule,
    val scope: Scope,
    val policy: Policy,
    val permits: Long,
)

/** Finds the buckets that a call is charged to at a stage. */
internal class Collector(
    private val visit: Visit,
    private val stage: Stage,
) {
    val asked = ArrayList<Asked>(EXPECTED)

    /** Those of [asked]. */
    val charges = ArrayList<Charge>(EXPECTED)

    /** Whether the call may have to wait for its turn. */
    var hasTurns = false
        private set
    val tooHeavy = ArrayList<TooHeavy>(0)

    fun add(rule: Rule) {
        if (!rule.isAskedAt(stage)) return
        val permits = rule.permits(visit.call)
        if (rule.guard != null && stage == rule.first) {
            // What the call costs is its user's affair, if it has one.
            add(rule, rule.guard, rule.guard.ordinary, visit.address.text, 1, isGuard = true)
        }
        for (scope in rule.scopes) if (scope.stage == stage) add(rule, scope, permits)
    }

    private fun add(
        rule: Rule,
        scope: Scope,
        permits: Long,
    ) {
        if (!scope.hasKeys) return add(rule, scope, scope.policies(visit.call), null, permits)
        val key = keyOf(scope)
        when {
            key != null -> add(rule, scope, scope.policies(visit.call), key, permits)
            // The guard has counted one already.
            rule.guard != null && scope.byAddress === rule.guard ->
                if (permits > 1) add(rule, rule.guard, rule.guard.ordinary, visit.address.text, permits, counted = 1)
            scope.byAddress != null -> add(rule, scope.byAddress, scope.byAddress.ordinary, visit.address.text, permits)
        }
    }

    @Suppress("LongParameterList")
    private fun add(
        rule: Rule,
        scope: Scope,
        policies: List<Policy>,
        key: String?,
        permits: Long,
        isGuard: Boolean = false,
        counted: Long = 0,
    ) {
        for (policy in policies) {
            if (permits > policy.limit.burst()) {
                tooHeavy += TooHeavy(rule, scope, policy, permits)
            } else {
                val charge = Charge(scope.bucket(key, policy), policy.limit, permits - counted)
                asked += Asked(rule, scope, key, policy, charge, isGuard)
                charges += charge
                if (policy.hasTurns) hasTurns = true
            }
        }
    }

    private fun keyOf(scope: Scope): String? {
        val key: Any? =
            when (val source = scope.source) {
                KeySource.Ip -> return visit.address.text
                KeySource.Endpoint -> visit.route?.endpoint ?: RouteInfo.NONE
                KeySource.User -> visit.setup.users.find(visit.call)
                KeySource.ApiKey -> visit.setup.apiKey(visit.call)
                is KeySource.By -> source.key(visit.call)
                KeySource.Global -> null
            }
        return key?.let { Keys.text(it, scope.isSecret, scope.name) }
    }

    private companion object {
        const val EXPECTED = 4
    }
}

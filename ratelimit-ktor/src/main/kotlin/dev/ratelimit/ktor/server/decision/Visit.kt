package dev.ratelimit.ktor.server.decision

import dev.ratelimit.RateLimitResult
import dev.ratelimit.ktor.server.RateLimitRefusal
import dev.ratelimit.ktor.server.address.ClientAddress
import dev.ratelimit.ktor.server.monitoring.Outcome
import dev.ratelimit.ktor.server.rules.Policy
import dev.ratelimit.ktor.server.rules.Rule
import dev.ratelimit.ktor.server.rules.Scope
import dev.ratelimit.ktor.server.rules.Stage
import dev.ratelimit.spi.Charge
import io.ktor.server.application.ApplicationCall
import io.ktor.util.AttributeKey

/** One call on its way through the stages. Not thread-safe: the stages of a call come one after another. */
internal class Visit(
    var call: ApplicationCall,
    val setup: Setup,
) {
    /** What was decided without asking a limit. */
    var outcome: Outcome? = null

    /** Rules that are enforced are asked together; each that is in shadow by itself. */
    val groups = ArrayList<Group>(1)

    val address: ClientAddress by lazy(LazyThreadSafetyMode.NONE) { setup.addresses.of(call) }

    var route: RouteInfo? = null
    var last: Stage? = null
    var nanos = 0L

    /** Takes the rules of the call's path, and later those that its route names. */
    fun join(rules: List<Rule>) {
        val enforced = rules.filterNot { it.isShadow }
        if (enforced.isNotEmpty()) {
            val group = groups.firstOrNull { !it.isShadow } ?: Group(emptyList(), false).also { groups.add(0, it) }
            group.rules += enforced
        }
        rules.forEach { if (it.isShadow) groups += Group(listOf(it), true) }
    }

    companion object {
        val key = AttributeKey<Visit>("RateLimitingVisit")
    }
}

/** Rules that grant or refuse together. */
internal class Group(
    rules: List<Rule>,
    val isShadow: Boolean,
) {
    var rules: List<Rule> = rules
    val asked = ArrayList<Asked>(EXPECTED)
    val charged = ArrayList<Asked>(EXPECTED)
    var refusal: RateLimitRefusal? = null
    var hasFailed = false

    /** The limit with the fewest permits left, and what it answered. */
    var standing: Standing? = null

    private companion object {
        const val EXPECTED = 4
    }
}

/** Permits asked of one bucket for a call. */
internal class Asked(
    val rule: Rule,
    val scope: Scope,
    val key: String?,
    val policy: Policy,
    val charge: Charge,
    val isGuard: Boolean,
)

/** What a limit answered. */
internal class Standing(
    val asked: Asked,
    val result: RateLimitResult,
)

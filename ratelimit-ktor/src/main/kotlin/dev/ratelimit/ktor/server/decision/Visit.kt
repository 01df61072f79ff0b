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
import io.ktor.util.reflect.TypeInfo

/** One call on its way through the stages. Not thread-safe: the stages of a call come one after another. */
internal class Visit(
    var call: ApplicationCall,
    val setup: Setup,
) {
    /** What was decided without asking a limit. */
    var outcome: Outcome? = null

    /** Rules that rule are asked together, also where all is only tried out; each that is tried out unlike others, by itself. */
    val groups = ArrayList<Group>(1)

    private var known: ClientAddress? = null

    /** Looked for when somebody asks for it first. */
    val address: ClientAddress get() = known ?: setup.addresses.of(call).also { known = it }

    var route: RouteInfo? = null
    var last: Stage? = null
    var nanos = 0L

    /** Whether a limit is nearly used up. */
    var isNear = false

    /** Whether a function of the settings has failed; the call has no outcome then. */
    var isBroken = false

    /** Takes the rules of the call's path, and later those that its route names. */
    fun join(rules: List<Rule>) {
        val ruling = if (rules.none { it.isTrial }) rules else rules.filterNot { it.isTrial }
        if (ruling.isNotEmpty()) {
            val group = groups.firstOrNull { !it.isTrial }
            if (group == null) groups.add(0, Group(ruling, ruling[0].isShadow, isTrial = false)) else group.rules += ruling
        }
        if (ruling.size < rules.size) rules.forEach { if (it.isTrial) groups += Group(listOf(it), isShadow = true, isTrial = true) }
    }

    companion object {
        /** Looked up several times in a call, each time by its hash: that of a Kotlin type takes far longer than that of a class. */
        val key = AttributeKey<Visit>("RateLimitingVisit", TypeInfo(Visit::class))
    }
}

/** Rules that grant or refuse together. */
internal class Group(
    rules: List<Rule>,
    val isShadow: Boolean,
    val isTrial: Boolean,
) {
    var rules: List<Rule> = rules
    private val allAsked = ArrayList<Asked>(EXPECTED)
    val asked: List<Asked> get() = allAsked
    val charged = ArrayList<Asked>(EXPECTED)
    var refusal: RateLimitRefusal? = null
    var hasFailed = false

    /** The limit with the fewest permits left, and what it answered. */
    var standing: Standing? = null

    fun isAskedAt(stage: Stage): Boolean = rules.any { it.isAskedAt(stage) }

    /** Each gets a name of its own in the group: two rules may both have limits by address. */
    fun ask(more: List<Asked>) {
        for (one in more) {
            val times = allAsked.count { it.policy.name == one.policy.name }
            if (times > 0) one.name = "${one.policy.name}.${times + 1}"
            allAsked += one
        }
    }

    /** As if they had not been asked. */
    fun forget(some: Collection<Asked>) {
        allAsked -= some.toSet()
        charged -= some.toSet()
        if (standing?.asked in some) standing = null
    }

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
) {
    /** What answers call it, unlike any other limit of the call. */
    var name: String = policy.name

    /** What answers say of it. */
    val item: String get() = if (name === policy.name) policy.item else policy.item(name)
}

/** What a limit answered. */
internal class Standing(
    val asked: Asked,
    val result: RateLimitResult,
)

package dev.ratelimit.ktor.server.decision

import dev.ratelimit.RateLimitResult
import dev.ratelimit.ktor.server.LimitedCall
import dev.ratelimit.ktor.server.RateLimitRefusal
import dev.ratelimit.ktor.server.RateLimitingEvents
import dev.ratelimit.ktor.server.RefusedCall
import dev.ratelimit.ktor.server.audit.Audit
import dev.ratelimit.ktor.server.monitoring.Monitoring
import dev.ratelimit.ktor.server.monitoring.Outcome
import dev.ratelimit.ktor.server.rules.Rule
import io.ktor.server.application.Application
import org.slf4j.LoggerFactory
import java.util.concurrent.atomic.AtomicBoolean

/** Tells what was decided: monitoring, the application's monitor, the audit log. */
internal class Reporter(
    private val application: Application,
    private val monitoring: Monitoring,
    private val endpoints: Endpoints,
) {
    private val total = monitoring.counter("")
    private val away = AtomicBoolean()

    /** Whether the store has not answered the last call. */
    val isAway: Boolean get() = away.get()

    suspend fun refused(
        visit: Visit,
        group: Group,
    ) {
        val refusal = checkNotNull(group.refusal)
        val endpoint = endpoints.find(visit)
        val key = group.standing?.asked?.key
        if (refusal.reason == RateLimitRefusal.Reason.LIMIT) {
            monitoring.denied(refusal.rule, refusal.scope.orEmpty(), key.orEmpty(), endpoint)
        }
        Audit.refused(refusal, key, endpoint, group.isShadow)
        val event = if (group.isShadow) RateLimitingEvents.WouldRefuse else RateLimitingEvents.Refused
        application.monitor.raise(event, RefusedCall(visit.call, refusal))
    }

    suspend fun blocked(
        visit: Visit,
        refusal: RateLimitRefusal,
    ) {
        Audit.refused(refusal, visit.address.text, endpoints.find(visit), false)
        application.monitor.raise(RateLimitingEvents.Refused, RefusedCall(visit.call, refusal))
    }

    fun near(
        visit: Visit,
        asked: Asked,
        result: RateLimitResult,
    ) {
        visit.isNear = true
        application.monitor.raise(RateLimitingEvents.NearLimit, LimitedCall(visit.call, asked.rule.name, asked.scope.name, result))
    }

    /** The store has answered. */
    fun answered() {
        if (away.get() && away.compareAndSet(true, false)) log.info("limits can be checked again")
    }

    /** One warning for each outage: what every call would say helps nobody. */
    fun failed(why: String?) {
        if (away.compareAndSet(false, true)) log.warn("limits cannot be checked: {}", why)
    }

    /** The call is over, however it ended. */
    fun ended(visit: Visit) {
        if (visit.isBroken) return
        val outcome = visit.outcome ?: outcome(visit) ?: return
        val route = visit.route ?: endpoints.none
        total.add(outcome, visit.nanos)
        route.counter.add(outcome, visit.nanos)
        if (Audit.isDetailed && outcome in PASSED) {
            val rules = visit.groups.flatMap { group -> group.rules.map { it.name } }
            Audit.passed(outcome.name, rules, route.endpoint)
        }
        for (group in visit.groups) {
            val refusal = group.refusal
            for (rule in group.rules) {
                val own = if (refusal == null || refusal.rule == rule.name) outcome(group) else null
                if (own != null) counter(rule).add(own, visit.nanos)
            }
        }
    }

    private fun counter(rule: Rule) = monitoring.counter(rule.name)

    private fun outcome(visit: Visit): Outcome? {
        visit.groups.singleOrNull()?.let { return outcome(it) }
        val enforced = visit.groups.firstOrNull { !it.isShadow }?.let(::outcome)
        if (enforced != null && enforced != Outcome.ALLOWED) return enforced
        val shadow = visit.groups.filter { it.isShadow }.map(::outcome)
        return shadow.firstOrNull { it == Outcome.SHADOW_DENIED } ?: enforced ?: shadow.firstOrNull()
    }

    private fun outcome(group: Group): Outcome {
        val refusal = group.refusal
        return when {
            refusal == null -> if (group.hasFailed) Outcome.FAILED_OPEN else Outcome.ALLOWED
            group.isShadow -> Outcome.SHADOW_DENIED
            refusal.reason == RateLimitRefusal.Reason.OUTAGE -> Outcome.FAILED_CLOSED
            else -> Outcome.DENIED
        }
    }

    private companion object {
        val PASSED = setOf(Outcome.ALLOWED, Outcome.BYPASSED, Outcome.FAILED_OPEN)
        val log = LoggerFactory.getLogger(Reporter::class.java)
    }
}

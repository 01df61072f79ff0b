package dev.ratelimit.ktor.server.decision

import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.Refusal
import dev.ratelimit.ktor.server.RateLimitRefusal
import dev.ratelimit.ktor.server.RateLimitRefusal.Reason
import dev.ratelimit.ktor.server.rules.Stage
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.delay
import org.slf4j.LoggerFactory
import kotlin.time.Duration.Companion.nanoseconds

/** Decides on calls, stage by stage. Thread-safe; of one call, the stages come one after another. */
internal class Gatekeeper(
    private val asker: Asker,
    private val reporter: Reporter,
) {
    private val deciders = Deciders(asker)

    /**
     * Null if the call may go on. What was charged at earlier stages is given back to a call that is refused now, for which a function of
     * the settings fails, or whose client leaves before its turn.
     */
    suspend fun ask(
        visit: Visit,
        stage: Stage,
    ): RateLimitRefusal? {
        var refusal: RateLimitRefusal? = null
        var isDecided = false
        try {
            var turn = 0L
            for (group in visit.groups) {
                if (group.refusal == null && group.isAskedAt(stage)) {
                    val start = System.nanoTime()
                    val untilTurn = if (group.isShadow) tryOut(visit, group, stage) else ask(visit, group, stage)
                    visit.nanos += System.nanoTime() - start
                    turn = maxOf(turn, untilTurn)
                    if (group.refusal != null) reporter.refused(visit, group)
                }
                if (!group.isShadow) refusal = group.refusal
                if (refusal != null) break
            }
            if (refusal == null && turn > 0) delay(turn.nanoseconds)
            isDecided = true
        } finally {
            if (!isDecided) visit.isBroken = true
            if (!isDecided || refusal != null) giveBack(visit)
        }
        return refusal
    }

    private fun giveBack(visit: Visit) {
        for (group in visit.groups) {
            asker.giveBack(group.charged)
            group.charged.clear()
        }
    }

    /** What goes wrong in a rule that is only tried out is no caller's trouble. */
    @Suppress("TooGenericExceptionCaught")
    private suspend fun tryOut(
        visit: Visit,
        group: Group,
        stage: Stage,
    ): Long {
        try {
            ask(visit, group, stage)
        } catch (e: CancellationException) {
            throw e
        } catch (e: Exception) {
            group.hasFailed = true
            log.warn("rule '{}', which is in shadow, failed: {}", group.rules[0].name, e.toString())
        }
        return 0
    }

    /** How long until the call's turn. */
    private suspend fun ask(
        visit: Visit,
        group: Group,
        stage: Stage,
    ): Long {
        val collector = Collector(visit, stage)
        group.rules.forEach(collector::add)
        if (collector.tooHeavy.isNotEmpty()) return refuse(group, tooHeavy(collector.tooHeavy), null)
        val asked = collector.asked
        if (asked.isEmpty()) return 0
        group.ask(asked)
        val maxWait = if (collector.hasTurns) visit.setup.maxWaitNanos else Long.MAX_VALUE
        val result =
            try {
                asker.ask(collector.charges, maxWait)
            } catch (e: RateLimitStoreException) {
                group.hasFailed = true
                reporter.failed(e.message)
                return if (visit.setup.failOpen || group.isShadow) 0 else refuse(group, outage(asked[0], null), null)
            }
        if (result.refusal() == Refusal.UNAVAILABLE) {
            group.hasFailed = true
            reporter.failed("the store is away")
            return if (group.isShadow) 0 else refuse(group, outage(asked[0], result), null)
        }
        reporter.answered()
        if (result.isAllowed) {
            val standing = Standing(deciders.only(asked, result.limit()) ?: deciders.scarcest(asked, result.limit()), result)
            allow(group, asked, standing)
            val warnAt = visit.setup.warnAt
            if (warnAt != null && !group.isShadow) warn(visit, warnAt, asked, standing)
            return result.delayNanos()
        }
        val refusing = deciders.refusing(asked, result.limit(), maxWait)
        val standing = Standing(refusing[0], result)
        return refuse(group, limited(standing, refusing), standing)
    }

    private fun allow(
        group: Group,
        asked: List<Asked>,
        standing: Standing,
    ) {
        if (group.charged.isNotEmpty()) giveGuardsBack(group, asked)
        for (one in asked) group.charged += one
        val before = group.standing
        if (before == null || standing.result.remaining() < before.result.remaining()) group.standing = standing
    }

    /** The store tells of the limit with the fewest permits left; another may have less of what it grants. */
    private suspend fun warn(
        visit: Visit,
        warnAt: Double,
        asked: List<Asked>,
        standing: Standing,
    ) {
        val others = asked - standing.asked
        val results = asker.peekAllOrNull(others.map { it.charge }).orEmpty()
        val known = others.zip(results).toMap() + (standing.asked to standing.result)
        for (one in asked) {
            val own = known[one]
            if (own != null && isNear(own, warnAt)) return reporter.near(visit, one, own)
        }
    }

    /** Who is authenticated is counted as a user, and not as an address any more. */
    private fun giveGuardsBack(
        group: Group,
        asked: List<Asked>,
    ) {
        val known = asked.mapNotNull { it.scope.byAddress }
        val guards = group.charged.filter { it.isGuard && it.scope in known }
        asker.giveBack(guards)
        group.forget(guards)
    }

    private fun refuse(
        group: Group,
        refusal: RateLimitRefusal,
        standing: Standing?,
    ): Long {
        asker.giveBack(group.charged)
        group.charged.clear()
        group.refusal = refusal
        group.standing = standing
        return 0
    }

    private fun limited(
        standing: Standing,
        refusing: List<Asked>,
    ): RateLimitRefusal {
        val asked = standing.asked
        val wait = standing.result.retryAfterNanos().nanoseconds
        return RateLimitRefusal(
            Reason.LIMIT,
            asked.rule.name,
            asked.scope.name,
            asked.name,
            refusing.map { it.name },
            standing.result,
            wait,
            "The limit ${asked.policy.limit} (${asked.name}) is used up.",
        )
    }

    private fun tooHeavy(all: List<TooHeavy>): RateLimitRefusal {
        val heavy = all[0]
        return RateLimitRefusal(
            Reason.TOO_HEAVY,
            heavy.rule.name,
            heavy.scope.name,
            heavy.policy.name,
            all.map { it.policy.name }.distinct(),
            null,
            null,
            "This call costs ${heavy.permits} permits; the limit ${heavy.policy.limit} (${heavy.policy.name}) never grants that many.",
        )
    }

    private fun outage(
        asked: Asked,
        result: RateLimitResult?,
    ) = RateLimitRefusal(
        Reason.OUTAGE,
        asked.rule.name,
        asked.scope.name,
        asked.name,
        emptyList(),
        result,
        (result?.retryAfterNanos() ?: 0).nanoseconds,
        "Limits cannot be checked at the moment.",
    )

    private fun isNear(
        result: RateLimitResult,
        warnAt: Double,
    ): Boolean {
        val burst = result.limit().burst()
        return burst - result.remaining() >= burst * warnAt
    }

    private companion object {
        val log = LoggerFactory.getLogger(Gatekeeper::class.java)
    }
}

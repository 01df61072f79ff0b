package dev.ratelimit.ktor.server.monitoring

import dev.ratelimit.ktor.server.RateLimitCounts
import dev.ratelimit.ktor.server.RateLimitingControl
import io.micrometer.core.instrument.FunctionCounter
import io.micrometer.core.instrument.FunctionTimer
import io.micrometer.core.instrument.Gauge
import io.micrometer.core.instrument.MeterRegistry
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.TimeUnit
import kotlin.time.DurationUnit

/** The meters of a control, which this holds by nothing but the meters' own weak reference. */
internal class Meters(
    private val registry: MeterRegistry,
) {
    private class Seen(
        val at: Long,
        val counts: Map<String, RateLimitCounts>,
    )

    private val bound = ConcurrentHashMap.newKeySet<String>()

    @Volatile
    private var seen: Seen? = null

    fun bind(control: RateLimitingControl) {
        counts(control)
        Gauge
            .builder("ratelimit.server.store.up", control) { if (it.isStoreUp) 1.0 else 0.0 }
            .description("Whether the store has answered when it was last asked")
            .register(registry)
    }

    /** Whoever reads a registry reads all its meters, one soon after the other: they are counted together, once. */
    private fun counts(control: RateLimitingControl): Map<String, RateLimitCounts> {
        val now = System.nanoTime()
        seen?.let { if (now - it.at < VALIDITY) return it.counts }
        val counts = control.counts()
        seen = Seen(now, counts)
        for (rule in counts.keys) if (bound.add(rule)) register(control, rule)
        return counts
    }

    private fun register(
        control: RateLimitingControl,
        rule: String,
    ) {
        for ((outcome, of) in OUTCOMES) {
            val counter =
                if (rule.isEmpty()) {
                    FunctionCounter
                        .builder("ratelimit.server.calls", control) { counts(it)[rule]?.let(of)?.toDouble() ?: 0.0 }
                        .description("Calls, each once, by what became of them")
                } else {
                    FunctionCounter
                        .builder("ratelimit.server.requests", control) { counts(it)[rule]?.let(of)?.toDouble() ?: 0.0 }
                        .description("Calls that a rule is about, by what became of them")
                        .tag("rule", rule)
                }
            counter.tag("outcome", outcome).register(registry)
        }
        if (rule.isNotEmpty()) registerTimer(control, rule)
    }

    private fun registerTimer(
        control: RateLimitingControl,
        rule: String,
    ) {
        FunctionTimer
            .builder(
                "ratelimit.server.decision",
                control,
                { counts(it)[rule]?.requests ?: 0 },
                { counts(it)[rule]?.decisionTime?.toDouble(DurationUnit.NANOSECONDS) ?: 0.0 },
                TimeUnit.NANOSECONDS,
            ).description("What decisions took")
            .tag("rule", rule)
            .register(registry)
    }

    private companion object {
        /** In nanoseconds; far less than the time from one reading to the next. */
        const val VALIDITY = 100_000_000L

        val OUTCOMES =
            mapOf<String, (RateLimitCounts) -> Long>(
                "allowed" to RateLimitCounts::allowed,
                "denied" to RateLimitCounts::denied,
                "shadow_denied" to RateLimitCounts::shadowDenied,
                "bypassed" to RateLimitCounts::bypassed,
                "blocked" to RateLimitCounts::blocked,
                "failed_open" to RateLimitCounts::failedOpen,
                "failed_closed" to RateLimitCounts::failedClosed,
            )
    }
}

package dev.ratelimit.ktor.server.monitoring

import dev.ratelimit.ktor.server.RateLimitCounts
import dev.ratelimit.ktor.server.RateLimitMetrics
import java.time.Clock
import kotlin.time.Duration

/**
 * Remembers what this instance has decided.
 *
 * @param outbox is handed the same, for others
 */
internal class LocalMonitoring(
    private val clock: Clock,
    private val retention: Duration,
    private val outbox: Outbox? = null,
) : Monitoring {
    private val history = History(retention)
    private val counters =
        Counters(clock) { minute, subject, figures ->
            history.add(minute, subject, figures)
            outbox?.add(minute, subject, figures)
        }
    private val denials = TopDenials(clock, retention) { group, list, times -> outbox?.add(group, list, times) }

    override fun counter(rule: String): Counter = counters.counter(rule)

    override fun endpoint(endpoint: String): Counter = counters.endpoint(endpoint)

    override fun denied(
        rule: String,
        scope: String,
        key: String,
        endpoint: String,
    ) = denials.add(rule, scope, key, endpoint)

    override fun counts(): Map<String, RateLimitCounts> = counters.counts()

    override suspend fun metrics(
        window: Duration,
        byEndpoint: Boolean,
    ): RateLimitMetrics {
        val (span, findings) =
            counters.collect {
                val since = history.since(byEndpoint)
                val span = Span.of(window, retention, clock, since.minute, since.hour)
                span to Findings(span).also { history.tell(span, byEndpoint, it) }
            }
        if (byEndpoint) findings.know(counters.endpointNames)
        denials.tell(span, findings)
        return findings.metrics(isShared = false)
    }

    /** Endpoints that have had calls since the start. */
    val endpointNames: Set<String> get() = counters.endpointNames

    /** Hands on what was counted until now, and what was denied most in minutes that are over. */
    fun handOn() {
        counters.collect {}
        denials.handOn()
    }

    /** What was denied most since then, which is not handed on yet. */
    fun tellOpen(
        span: Span,
        findings: Findings,
    ) = denials.tellOpen(span, findings)

    /** Hands on everything, as if the minute and the hour were over. */
    override fun close() {
        counters.collect {}
        denials.close()
    }
}

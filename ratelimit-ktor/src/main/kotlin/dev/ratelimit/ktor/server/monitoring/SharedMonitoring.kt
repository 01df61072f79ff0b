package dev.ratelimit.ktor.server.monitoring

import dev.ratelimit.ktor.server.RateLimitMetrics
import dev.ratelimit.spi.TallyStore
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withTimeoutOrNull
import java.time.Clock
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.time.Duration

/**
 * Remembers together with the other instances that share the [store]: what this one has counted goes there every [interval], and what is
 * told is what all have put there, with what this one has not. While the store cannot be asked, this instance tells of itself alone.
 *
 * @param writer names this instance in the store
 */
internal class SharedMonitoring(
    private val local: LocalMonitoring,
    private val outbox: Outbox,
    private val store: TallyStore,
    private val writer: String,
    private val retention: Duration,
    private val clock: Clock,
    scope: CoroutineScope,
    interval: Duration,
) : Monitoring by local {
    /** Nothing becomes known to the store while it is asked: that would count twice, or not at all. */
    private val turn = Mutex()
    private val isClosed = AtomicBoolean()
    private val flushing =
        scope.launch {
            while (true) {
                delay(interval)
                Questions.orNull { flush() }
            }
        }

    override suspend fun metrics(
        window: Duration,
        byEndpoint: Boolean,
    ): RateLimitMetrics {
        val span = Span.of(window, retention, clock)
        val ofAll = Questions.orNull { withTimeoutOrNull(Questions.LONGEST) { turn.withLock { ofAll(span, byEndpoint) } } }
        return ofAll ?: local.metrics(window, byEndpoint)
    }

    private suspend fun ofAll(
        span: Span,
        byEndpoint: Boolean,
    ): RateLimitMetrics {
        local.handOn()
        val findings = Findings(span)
        val groups = groupsOf(span) + if (byEndpoint) groupsOfEndpoints(span) else emptyList()
        val tallies = Questions.inTime { store.talliesAsync(groups.map { it.name }) }
        groups.zip(tallies).forEach { (group, tally) ->
            tally.numbers.forEach { (name, number) -> group.tell(name, number, findings) }
            outbox.tell(group, tally.entries[writer] ?: 0, findings)
        }
        local.tellOpen(span, findings)
        if (byEndpoint) findings.know(local.endpointNames)
        return findings.metrics(isShared = true)
    }

    private fun groupsOf(span: Span): List<Group> =
        (hourOf(span.from)..hourOf(span.until)).map { Group(Group.Kind.TOTALS, it) } +
            span.minutesOfRules.map { Group(Group.Kind.RULES_BY_MINUTE, it) } +
            span.hoursOfRules.map { Group(Group.Kind.RULES_BY_HOUR, it) } +
            span.minutesOfDenials.map { Group(Group.Kind.DENIED_BY_MINUTE, it) } +
            span.hoursOfDenials.map { Group(Group.Kind.DENIED_BY_HOUR, it) }

    private fun groupsOfEndpoints(span: Span): List<Group> =
        span.minutesOfRules.map { Group(Group.Kind.ENDPOINTS_BY_MINUTE, it) } +
            span.hoursOfRules.map { Group(Group.Kind.ENDPOINTS_BY_HOUR, it) }

    /** Tells the store what it was not told; fails with the first failure, and what is left waits for the next time. */
    suspend fun flush() =
        turn.withLock {
            local.handOn()
            outbox.groups().forEach { flush(it) }
        }

    private suspend fun flush(group: Group) {
        var isDone = false
        try {
            while (true) {
                val entry = outbox.next(group) ?: break
                Questions.inTime { store.tallyAsync(entry) }
                outbox.confirmed(group, entry)
            }
            isDone = true
        } finally {
            if (!isDone) outbox.failed(group)
        }
    }

    /** Tells the store what is left, within a bound. */
    override fun close() {
        if (!isClosed.compareAndSet(false, true)) return
        flushing.cancel()
        local.close()
        runBlocking { withTimeoutOrNull(Questions.LONGEST) { Questions.orNull { flush() } } }
    }
}

package dev.ratelimit.ktor.server.monitoring

import java.time.Clock
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock
import kotlin.time.Duration

/**
 * The keys and the endpoints that are denied most: of the last hour by the minute, of the retention by whole hours. Who stopped long ago
 * fades with the hours that are forgotten.
 *
 * @param whenClosed is given the tops of a minute or an hour that is over, each with its list
 */
internal class TopDenials(
    private val clock: Clock,
    retention: Duration,
    private val whenClosed: (Group, DeniedList, Map<String, Long>) -> Unit,
) {
    private val lock = ReentrantLock()
    private val lists = DeniedList.entries.associateWith { TopList() }
    private val hoursKept = retention.inWholeHours + 1
    private var minute = clock.minute()

    fun add(
        rule: String,
        scope: String,
        key: String,
        endpoint: String,
    ) {
        // Whatever depends on the length of a text is done before others have to wait.
        val ofKey = TopList.Hashed(DeniedId(remembered(rule), remembered(scope), remembered(key)).text())
        val ofEndpoint = TopList.Hashed(remembered(endpoint))
        lock.withLock {
            turn()
            lists.getValue(DeniedList.KEYS).add(ofKey)
            lists.getValue(DeniedList.ENDPOINTS).add(ofEndpoint)
        }
    }

    private fun turn() {
        val now = clock.minute()
        if (now == minute) return
        closeMinute()
        if (hourOf(now) != hourOf(minute)) closeHour()
        minute = now
        val hour = hourOf(now)
        lists.values.forEach { it.forget(now - Span.MINUTES_OF_DENIALS, hour - hoursKept) }
    }

    private fun closeMinute() = end(Group(Group.Kind.DENIED_BY_MINUTE, minute)) { it.closeMinute(minute) }

    private fun closeHour() = end(Group(Group.Kind.DENIED_BY_HOUR, hourOf(minute))) { it.closeHour(hourOf(minute)) }

    private fun end(
        group: Group,
        topOf: (TopList) -> Map<String, Long>,
    ) = lists.forEach { (kind, list) ->
        val top = topOf(list)
        if (top.isNotEmpty()) whenClosed(group, kind, top)
    }

    /** The minute and the hour that it is are over for this instance. */
    fun close() =
        lock.withLock {
            turn()
            closeMinute()
            closeHour()
        }

    /** Hands on what is over. */
    fun handOn() = lock.withLock { turn() }

    /** Hands on what is over, and tells what is not. */
    fun tellOpen(
        span: Span,
        findings: Findings,
    ) = lock.withLock {
        turn()
        if (minute in span.minutesOfDenials) lists.forEach { (kind, list) -> findings.addDenied(kind, list.open()) }
    }

    /** All that this instance knows is told. */
    fun tell(
        span: Span,
        findings: Findings,
    ) = lock.withLock {
        tellOpen(span, findings)
        for ((kind, list) in lists) {
            list.closed(span.minutesOfDenials, span.hoursOfDenials).forEach { findings.addDenied(kind, it) }
        }
    }
}

/** What is denied. */
internal enum class DeniedList { KEYS, ENDPOINTS }

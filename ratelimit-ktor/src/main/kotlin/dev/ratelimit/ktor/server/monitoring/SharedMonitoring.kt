package dev.ratelimit.ktor.server.monitoring

import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.ktor.server.RateLimitMetrics
import dev.ratelimit.spi.TallyStore
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.future.await
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withTimeoutOrNull
import org.slf4j.LoggerFactory
import java.time.Clock
import java.util.concurrent.CompletionStage
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

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
                orNull { flush() }
            }
        }

    override suspend fun metrics(window: Duration): RateLimitMetrics {
        val span = Span.of(window, retention, clock)
        return orNull { withTimeoutOrNull(LONGEST) { turn.withLock { ofAll(span) } } } ?: local.metrics(window)
    }

    private suspend fun ofAll(span: Span): RateLimitMetrics {
        local.handOn()
        val findings = Findings(span)
        val groups = groupsOf(span)
        val tallies = inTime { store.talliesAsync(groups.map { it.name }) }
        groups.zip(tallies).forEach { (group, tally) ->
            tally.numbers.forEach { (name, number) -> group.tell(name, number, findings) }
            outbox.tell(group, tally.entries[writer] ?: 0, findings)
        }
        local.tellOpen(span, findings)
        return findings.metrics(isShared = true)
    }

    private fun groupsOf(span: Span): List<Group> =
        (hourOf(span.from)..hourOf(span.until)).map { Group(Group.Kind.TOTALS, it) } +
            span.minutesOfRules.map { Group(Group.Kind.RULES_BY_MINUTE, it) } +
            span.hoursOfRules.map { Group(Group.Kind.RULES_BY_HOUR, it) } +
            span.minutesOfDenials.map { Group(Group.Kind.DENIED_BY_MINUTE, it) } +
            span.hoursOfDenials.map { Group(Group.Kind.DENIED_BY_HOUR, it) }

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
                inTime { store.tallyAsync(entry) }
                outbox.confirmed(group, entry)
            }
            isDone = true
        } finally {
            if (!isDone) outbox.failed(group)
        }
    }

    /** A store of the user's may forget to answer. */
    private suspend fun <T> inTime(question: () -> CompletionStage<T>): T {
        val answer = withTimeoutOrNull(LONGEST) { listOf(question().await()) }
        return (answer ?: throw RateLimitStoreException("the store has not answered a tally for $LONGEST", null)).single()
    }

    /** Whatever goes wrong in monitoring is nobody's call's. */
    @Suppress("TooGenericExceptionCaught")
    private suspend fun <T> orNull(action: suspend () -> T): T? =
        try {
            action()
        } catch (e: CancellationException) {
            throw e
        } catch (e: Exception) {
            log.debug("the store could not be asked for what all instances have counted", e)
            null
        }

    /** Tells the store what is left, within a bound. */
    override fun close() {
        if (!isClosed.compareAndSet(false, true)) return
        flushing.cancel()
        local.close()
        runBlocking { withTimeoutOrNull(LONGEST) { orNull { flush() } } }
    }

    private companion object {
        val LONGEST = 3.seconds
        val log = LoggerFactory.getLogger("dev.ratelimit.ktor.server.RateLimiting")
    }
}

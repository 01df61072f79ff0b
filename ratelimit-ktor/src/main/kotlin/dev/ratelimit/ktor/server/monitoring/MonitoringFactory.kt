package dev.ratelimit.ktor.server.monitoring

import dev.ratelimit.spi.RateLimitStore
import dev.ratelimit.spi.TallyStore
import kotlinx.coroutines.CoroutineScope
import java.time.Clock
import java.util.UUID
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** The most that is remembered. */
internal val LONGEST_RETENTION: Duration = 31.days

/**
 * Remembers decisions for [retention]: those of all instances if the [store] can count for them (a [TallyStore]), else those of this one.
 * Close it before the store.
 *
 * @param scope in which the store is told, every [interval]
 * @throws IllegalArgumentException if [retention] or [interval] cannot be meant
 */
internal fun monitoring(
    store: RateLimitStore,
    retention: Duration,
    scope: CoroutineScope,
    clock: Clock = Clock.systemUTC(),
    interval: Duration = 5.seconds,
): Monitoring {
    require(retention in 1.minutes..LONGEST_RETENTION) { "retention $retention; write between 1.minutes and $LONGEST_RETENTION" }
    require(interval.isPositive()) { "interval $interval is not positive; write for example 5.seconds" }
    if (store !is TallyStore) return LocalMonitoring(clock, retention)
    val writer = UUID.randomUUID().toString()
    val outbox = Outbox(writer, retention)
    return SharedMonitoring(LocalMonitoring(clock, retention, outbox), outbox, store, writer, retention, clock, scope, interval)
}

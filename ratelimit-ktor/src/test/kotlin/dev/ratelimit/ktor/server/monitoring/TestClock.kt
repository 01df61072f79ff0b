package dev.ratelimit.ktor.server.monitoring

import java.time.Clock
import java.time.Instant
import java.time.ZoneId
import java.time.ZoneOffset
import kotlin.time.Duration

/** Stands still until it is moved. */
internal class TestClock(
    start: String = "2026-11-21T12:00:00Z",
) : Clock() {
    @Volatile
    private var at = Instant.parse(start).toEpochMilli()

    operator fun plusAssign(time: Duration) {
        at += time.inWholeMilliseconds
    }

    fun set(instant: String) {
        at = Instant.parse(instant).toEpochMilli()
    }

    override fun millis(): Long = at

    override fun instant(): Instant = Instant.ofEpochMilli(at)

    override fun getZone(): ZoneId = ZoneOffset.UTC

    override fun withZone(zone: ZoneId): Clock = this
}

/** What the core does with a call that one rule is about. */
internal fun Monitoring.call(
    rule: String,
    outcome: Outcome = Outcome.ALLOWED,
    nanos: Long = 0,
) {
    counter("").add(outcome, nanos)
    counter(rule).add(outcome, nanos)
}

internal fun Monitoring.deny(
    key: String,
    rule: String = "/api",
    scope: String = "ip",
    endpoint: String = "GET /api",
    times: Int = 1,
) = repeat(times) { denied(rule, scope, key, endpoint) }

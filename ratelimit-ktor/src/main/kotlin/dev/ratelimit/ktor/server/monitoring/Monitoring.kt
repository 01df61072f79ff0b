package dev.ratelimit.ktor.server.monitoring

import dev.ratelimit.ktor.server.RateLimitCounts
import dev.ratelimit.ktor.server.RateLimitMetrics
import java.time.Clock
import kotlin.time.Duration

/** How a call fared. */
internal enum class Outcome { ALLOWED, DENIED, SHADOW_DENIED, BYPASSED, BLOCKED, FAILED_OPEN, FAILED_CLOSED }

/** The counters of a rule or an endpoint. Thread-safe, quick, without allocation: every call comes here. */
internal interface Counter {
    fun add(
        outcome: Outcome,
        nanos: Long,
    )
}

/** Remembers decisions. Thread-safe. */
internal interface Monitoring : AutoCloseable {
    /**
     * The counter of the rule of this name, always the same; the empty name is that of all calls together, to which each call is added
     * before it is added to others.
     */
    fun counter(rule: String): Counter

    /** The counter of the calls of a route, always the same; there are no more of them than routes. */
    fun endpoint(endpoint: String): Counter

    /** A refusal, or one that a rule in shadow would have made: for the lists of what is denied most. */
    fun denied(
        rule: String,
        scope: String,
        key: String,
        endpoint: String,
    )

    /** Since the start of this instance, by rule. */
    fun counts(): Map<String, RateLimitCounts>

    /** @param byEndpoint whether endpoints are told too */
    suspend fun metrics(
        window: Duration,
        byEndpoint: Boolean = false,
    ): RateLimitMetrics

    /** Remembers nothing. */
    object None : Monitoring {
        private val deaf =
            object : Counter {
                override fun add(
                    outcome: Outcome,
                    nanos: Long,
                ) = Unit
            }

        override fun counter(rule: String): Counter = deaf

        override fun endpoint(endpoint: String): Counter = deaf

        override fun denied(
            rule: String,
            scope: String,
            key: String,
            endpoint: String,
        ) = Unit

        override fun counts(): Map<String, RateLimitCounts> = mapOf("" to Figures().counts())

        override suspend fun metrics(
            window: Duration,
            byEndpoint: Boolean,
        ): RateLimitMetrics =
            Findings(Span.of(window, LONGEST_RETENTION, Clock.systemUTC())).metrics(isShared = false)

        override fun close() = Unit
    }
}

package dev.ratelimit.ktor.server.admin

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.RateLimit
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perMinute
import dev.ratelimit.ktor.server.DeniedEndpoint
import dev.ratelimit.ktor.server.DeniedKey
import dev.ratelimit.ktor.server.RateLimitCounts
import dev.ratelimit.ktor.server.RateLimitHealth
import dev.ratelimit.ktor.server.RateLimitMetrics
import dev.ratelimit.ktor.server.RateLimitMinute
import dev.ratelimit.ktor.server.RateLimitRuleInfo
import dev.ratelimit.ktor.server.RateLimitScopeInfo
import dev.ratelimit.ktor.server.RateLimitingConfig
import dev.ratelimit.ktor.server.RateLimitingControl
import java.time.Instant
import java.time.temporal.ChronoUnit
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.toJavaDuration

/** A control that has whatever a test wants it to have, and writes down what was asked of it. */
internal class FakeControl : RateLimitingControl {
    class Reset(
        val rule: String,
        val scope: String,
        val key: String?,
    )

    @Volatile
    override var isEnabled = true
        set(value) {
            field = value
            turns += value
        }

    /** How the switch was turned. */
    val turns = CopyOnWriteArrayList<Boolean>()

    @Volatile
    override var isSwitchShared = false

    override val isStoreUp get() = isUp

    @Volatile
    override var rules: List<RateLimitRuleInfo> = listOf(API, AUTH)

    @Volatile
    var isUp = true

    /** What the store throws, if it is broken. */
    @Volatile
    var failure: RateLimitStoreException? = null

    @Volatile
    var topKeys = listOf(DeniedKey("/api/*", "ip", "203.0.113.7", 41), DeniedKey("POST:/auth/*", "ip", "198.51.100.9", 7))

    @Volatile
    var topEndpoints = listOf(DeniedEndpoint("GET /api/orders", 30), DeniedEndpoint("POST /auth/login", 7))

    val resets = CopyOnWriteArrayList<Reset>()
    val windows = CopyOnWriteArrayList<Duration>()
    private val looks = AtomicLong()

    override suspend fun peek(
        rule: String,
        scope: String,
        key: String?,
        tier: String?,
    ): List<RateLimitResult> {
        failure?.let { throw it }
        val info = find(rule, scope, key)
        val limits = if (info.tiers.isEmpty()) info.limits else info.tiers.getValue(tier ?: info.tiers.keys.first())
        return limits.map {
            if (resets.isEmpty()) {
                RateLimitResult.denied(
                    it,
                    0,
                    12_000_000_000,
                    60_000_000_000,
                )
            } else {
                RateLimitResult.allowed(it, it.burst(), 0, 0)
            }
        }
    }

    override suspend fun reset(
        rule: String,
        scope: String,
        key: String?,
    ) {
        failure?.let { throw it }
        find(rule, scope, key)
        resets += Reset(rule, scope, key)
    }

    private fun find(
        rule: String,
        scope: String,
        key: String?,
    ): RateLimitScopeInfo {
        val info = requireNotNull(rules.find { it.name == rule }) { "there is no rule '$rule'; there are ${rules.map { it.name }}" }
        val its =
            requireNotNull(
                info.scopes.find {
                    it.name == scope
                },
            ) { "rule '$rule' has no scope '$scope'; write ${info.scopes.map { it.name }}" }
        require(its.hasKeys == (key != null)) {
            if (its.hasKeys) "scope '$scope' needs a key" else "scope '$scope' has no keys; leave the key out"
        }
        return its
    }

    override fun reload() = error("not asked for by a page")

    override fun reload(configure: RateLimitingConfig.() -> Unit) = throw UnsupportedOperationException("a test reloads nothing")

    override suspend fun health() = RateLimitHealth("Redis 7.0.15, standalone", isUp, 420.microseconds)

    override suspend fun metrics(
        window: Duration,
        byEndpoint: Boolean,
    ): RateLimitMetrics {
        failure?.let { throw it }
        windows += window
        val to = Instant.parse("2026-03-04T05:06:30Z")
        val from = to.minus(window.toJavaDuration()).truncatedTo(ChronoUnit.MINUTES)
        val minutes = listOf(59, 30, 10, 5, 2, 1, 0).filter {
            it.minutes <= window
        }.map { RateLimitMinute(to.minusSeconds(30L + 60 * it), counts(80 + 3L * it, 7)) }
        return RateLimitMetrics(
            window,
            from,
            to,
            true,
            TOTALS,
            mapOf("/api/*" to counts(900, 90), "gone" to counts(1, 0)),
            if (byEndpoint) ENDPOINTS else emptyMap(),
            minutes,
            topKeys,
            topEndpoints,
        )
    }

    /** Each look finds twelve calls more than the one before, two of them denied. */
    override fun counts(): Map<String, RateLimitCounts> {
        val look = looks.incrementAndGet()
        return mapOf("" to counts(10 * look, 2 * look), "/api/*" to counts(10 * look, 2 * look), "POST:/auth/*" to counts(5, 1))
    }

    companion object {
        val API =
            RateLimitRuleInfo(
                "/api/*",
                false,
                listOf(
                    RateLimitScopeInfo("ip", listOf(100.perMinute.withBurst(150)), emptyMap(), true, false),
                    RateLimitScopeInfo(
                        "api-key",
                        emptyList(),
                        mapOf("free" to listOf(60.perHour), "paid" to listOf(1_000.perHour)),
                        true,
                        true,
                    ),
                    RateLimitScopeInfo("global", listOf(RateLimit.slidingWindow(10_000, 1.minutes)), emptyMap(), false, false),
                ),
            )
        val AUTH =
            RateLimitRuleInfo(
                "POST:/auth/*",
                true,
                listOf(
                    RateLimitScopeInfo(
                        "ip",
                        listOf(RateLimit.fixedWindow(5, 5.minutes), RateLimit.slidingLog(10, 1.hours)),
                        emptyMap(),
                        true,
                        false,
                    ),
                ),
            )
        val ENDPOINTS = mapOf("GET /api/orders/{id}" to counts(800, 30), "/api/*" to counts(3, 2), "(no route)" to counts(2, 0))
        val TOTALS = RateLimitCounts(900, 90, 5, 3, 1, 1, 0, 10_000.microseconds, 800.microseconds)

        fun counts(
            allowed: Long,
            denied: Long,
        ) = RateLimitCounts(allowed, denied, 0, 0, 0, 0, 0, (allowed + denied).microseconds, 9.microseconds)
    }
}

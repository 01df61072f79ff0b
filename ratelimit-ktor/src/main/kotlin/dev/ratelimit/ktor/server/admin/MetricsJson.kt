package dev.ratelimit.ktor.server.admin

import dev.ratelimit.ktor.server.DeniedEndpoint
import dev.ratelimit.ktor.server.DeniedKey
import dev.ratelimit.ktor.server.RateLimitCounts
import dev.ratelimit.ktor.server.RateLimitHealth
import dev.ratelimit.ktor.server.RateLimitMetrics
import dev.ratelimit.ktor.server.RateLimitMinute
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonObjectBuilder
import kotlinx.serialization.json.buildJsonArray
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonObject
import java.time.Instant
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.DurationUnit
import kotlin.time.toKotlinDuration

/** What was counted in a span of time, of all rules, and [byEndpoint] if that was asked for. */
internal fun metricsJson(
    metrics: RateLimitMetrics,
    health: RateLimitHealth,
    byEndpoint: Boolean,
): JsonObject =
    buildJsonObject {
        putSpan(metrics)
        put("totals", countsJson(metrics.totals, metrics))
        putJsonObject("rules") { metrics.rules.forEach { (rule, counts) -> put(rule, countsJson(counts, metrics)) } }
        if (byEndpoint) {
            putJsonObject("endpoints") { metrics.endpoints.forEach { (endpoint, counts) -> put(endpoint, countsJson(counts, metrics)) } }
        }
        put("minutes", array(metrics.minutes, ::minuteJson))
        putJsonObject("topDenied") {
            put("keys", array(metrics.topKeys, ::keyJson))
            put("endpoints", array(metrics.topEndpoints, ::endpointJson))
        }
        put("health", healthJson(health))
    }

/** What was counted in a span of time, of one [rule]. */
internal fun ruleMetricsJson(
    metrics: RateLimitMetrics,
    rule: String,
    health: RateLimitHealth,
): JsonObject =
    buildJsonObject {
        putSpan(metrics)
        put("rule", rule)
        put("totals", countsJson(metrics.rules[rule] ?: NOTHING, metrics))
        putJsonObject("topDenied") { put("keys", array(metrics.topKeys.filter { it.rule == rule }, ::keyJson)) }
        put("health", healthJson(health))
    }

/** What was counted in a span of time, of one [endpoint]. */
internal fun endpointMetricsJson(
    metrics: RateLimitMetrics,
    endpoint: String,
    health: RateLimitHealth,
): JsonObject =
    buildJsonObject {
        putSpan(metrics)
        put("endpoint", endpoint)
        put("totals", countsJson(metrics.endpoints[endpoint] ?: NOTHING, metrics))
        put("health", healthJson(health))
    }

/**
 * What one instance has counted since it started.
 *
 * @param instance tells apart whose counts these are: they have nothing to do with those of another, or of the same one started anew
 */
internal fun countsNowJson(
    instance: String,
    now: Instant,
    counts: Map<String, RateLimitCounts>,
): JsonObject =
    buildJsonObject {
        put("instance", instance)
        put("at", now.toEpochMilli())
        put("all", outcomesJson(counts[""] ?: NOTHING))
        putJsonObject("rules") { counts.forEach { (rule, its) -> if (rule.isNotEmpty()) put(rule, outcomesJson(its)) } }
    }

internal fun healthJson(health: RateLimitHealth): JsonObject =
    buildJsonObject {
        put("store", health.store)
        put("isUp", health.isUp)
        put("roundTripMillis", health.roundTrip.toDouble(DurationUnit.MILLISECONDS))
    }

private fun JsonObjectBuilder.putSpan(metrics: RateLimitMetrics) {
    put("windowSeconds", metrics.window.inWholeSeconds)
    put("from", "${metrics.from}")
    put("to", "${metrics.to}")
    put("isShared", metrics.isShared)
}

private fun countsJson(
    counts: RateLimitCounts,
    metrics: RateLimitMetrics,
): JsonObject =
    buildJsonObject {
        put("requests", counts.requests)
        putOutcomes(counts)
        put("denialRate", counts.denialRate)
        put("requestsPerMinute", counts.requests / minutesOf(metrics))
        putJsonObject("decisionTime") {
            put("meanMicros", if (counts.requests == 0L) 0.0 else micros(counts.decisionTime) / counts.requests)
            put("longestMicros", micros(counts.longestDecision))
        }
    }

private fun minuteJson(minute: RateLimitMinute) =
    buildJsonObject {
        put("at", "${minute.at}")
        putOutcomes(minute.counts)
    }

private fun outcomesJson(counts: RateLimitCounts) =
    buildJsonObject {
        putOutcomes(counts)
        put("decisionMicros", micros(counts.decisionTime))
    }

private fun JsonObjectBuilder.putOutcomes(counts: RateLimitCounts) {
    put("allowed", counts.allowed)
    put("denied", counts.denied)
    put("shadowDenied", counts.shadowDenied)
    put("bypassed", counts.bypassed)
    put("blocked", counts.blocked)
    put("failedOpen", counts.failedOpen)
    put("failedClosed", counts.failedClosed)
}

private fun keyJson(key: DeniedKey) =
    buildJsonObject {
        put("rule", key.rule)
        put("scope", key.scope)
        put("key", key.key)
        put("denied", key.denied)
    }

private fun endpointJson(endpoint: DeniedEndpoint) =
    buildJsonObject {
        put("endpoint", endpoint.endpoint)
        put("denied", endpoint.denied)
    }

internal fun <T> array(
    values: Iterable<T>,
    json: (T) -> JsonObject,
): JsonArray = buildJsonArray { values.forEach { add(json(it)) } }

/** A minute at least: the first seconds say little of a minute. */
private fun minutesOf(metrics: RateLimitMetrics): Double =
    java.time.Duration
        .between(metrics.from, metrics.to)
        .toKotlinDuration()
        .coerceAtLeast(1.minutes)
        .toDouble(DurationUnit.MINUTES)

private fun micros(duration: Duration): Double = duration.toDouble(DurationUnit.MICROSECONDS)

internal val NOTHING = RateLimitCounts(0, 0, 0, 0, 0, 0, 0, Duration.ZERO, Duration.ZERO)

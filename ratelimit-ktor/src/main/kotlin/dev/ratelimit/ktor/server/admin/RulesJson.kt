package dev.ratelimit.ktor.server.admin

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.ktor.server.RateLimitRuleInfo
import dev.ratelimit.ktor.server.RateLimitScopeInfo
import dev.ratelimit.ktor.server.RateLimitingControl
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonObject
import kotlin.time.DurationUnit
import kotlin.time.toKotlinDuration

/** The rules in force, and the switch. */
internal fun configJson(control: RateLimitingControl): JsonObject =
    buildJsonObject {
        put("isEnabled", control.isEnabled)
        put("isSwitchShared", control.isSwitchShared)
        put("rules", array(control.rules, ::ruleJson))
    }

/** What one more call would find at each limit of one bucket. */
internal fun peekJson(
    rule: String,
    scope: String,
    results: List<RateLimitResult>,
): JsonObject =
    buildJsonObject {
        put("rule", rule)
        put("scope", scope)
        put("limits", array(results, ::resultJson))
    }

private fun ruleJson(rule: RateLimitRuleInfo) =
    buildJsonObject {
        put("name", rule.name)
        put("isShadow", rule.isShadow)
        put("scopes", array(rule.scopes, ::scopeJson))
    }

private fun scopeJson(scope: RateLimitScopeInfo) =
    buildJsonObject {
        put("name", scope.name)
        put("limits", array(scope.limits, ::limitJson))
        putJsonObject("tiers") { scope.tiers.forEach { (tier, limits) -> put(tier, array(limits, ::limitJson)) } }
        put("hasKeys", scope.hasKeys)
        put("isSecret", scope.isSecret)
    }

private fun limitJson(limit: RateLimit) =
    buildJsonObject {
        put("text", "$limit")
        put("algorithm", "${limit.algorithm()}")
        put("permits", limit.permits())
        put("periodSeconds", limit.period().toKotlinDuration().toDouble(DurationUnit.SECONDS))
        put("burst", limit.burst())
    }

private fun resultJson(result: RateLimitResult) =
    buildJsonObject {
        put("limit", limitJson(result.limit()))
        put("isAllowed", result.isAllowed)
        put("remaining", result.remaining())
        put("retryAfterSeconds", seconds(result.retryAfterNanos()))
        put("resetAfterSeconds", seconds(result.resetAfterNanos()))
        put("delaySeconds", seconds(result.delayNanos()))
    }

private fun seconds(nanos: Long): Double = nanos / NANOS_PER_SECOND

private const val NANOS_PER_SECOND = 1e9

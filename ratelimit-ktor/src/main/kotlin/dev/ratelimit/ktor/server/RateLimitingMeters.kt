package dev.ratelimit.ktor.server

import dev.ratelimit.ktor.server.monitoring.Meters
import io.micrometer.core.instrument.MeterRegistry

/**
 * Tells [registry] what this instance has counted since it started ([counts][RateLimitingControl.counts]), by rule and never by key:
 *
 * - the counter `ratelimit.server.requests`, with the tags `rule` and `outcome`: `allowed`, `denied`, `shadow_denied`, `failed_open` or
 *   `failed_closed`; a call that several rules are about counts for each of them
 * - the counter `ratelimit.server.calls`, with the tag `outcome`, which is also `bypassed` or `blocked`: each call once
 * - the timer `ratelimit.server.decision`, with the tag `rule`: how many decisions, and what they took together
 * - the gauge `ratelimit.server.store.up`: 1, or 0 if the store has not answered when it was last asked
 *   ([isStoreUp][RateLimitingControl.isStoreUp])
 *
 * Meters of rules that a reload has added appear when the registry is next read; those of rules that are gone stay as they are. Needs
 * `io.micrometer:micrometer-core`. Call it once for each registry. The registry does not keep the application from being collected.
 * `grafana-dashboard.json`, beside this class in the jar, shows these meters where Prometheus has them.
 */
public fun RateLimitingControl.bindRateLimitMeters(registry: MeterRegistry): Unit = Meters(registry).bind(this)

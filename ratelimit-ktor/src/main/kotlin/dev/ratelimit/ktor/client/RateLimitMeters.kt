package dev.ratelimit.ktor.client

import io.ktor.client.HttpClient
import io.micrometer.core.instrument.MeterRegistry
import kotlin.time.toJavaDuration

/**
 * Counts in [registry] what [HttpRequestRateLimit] tells of this client's requests: the timer `ratelimit.client.wait` (requests that
 * waited, and for how long) and the counters `ratelimit.client.refused` and `ratelimit.client.learned`. Their one tag is `limiter`, the
 * name of the rule, never a key. Needs `io.micrometer:micrometer-core`. Call it once for each client.
 */
public fun HttpClient.bindRateLimitMeters(registry: MeterRegistry) {
    monitor.subscribe(RateLimitEvents.Waited) {
        registry.timer("ratelimit.client.wait", "limiter", it.limiter).record(it.waited.toJavaDuration())
    }
    monitor.subscribe(RateLimitEvents.Refused) { registry.counter("ratelimit.client.refused", "limiter", it.limiter).increment() }
    monitor.subscribe(RateLimitEvents.Learned) { registry.counter("ratelimit.client.learned", "limiter", it.limiter).increment() }
}

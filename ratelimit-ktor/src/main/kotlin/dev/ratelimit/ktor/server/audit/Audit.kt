package dev.ratelimit.ktor.server.audit

import dev.ratelimit.ktor.server.RateLimitRefusal
import dev.ratelimit.ktor.server.rules.Keys
import org.slf4j.LoggerFactory

/** The log of decisions and of what administrators do: the logger `dev.ratelimit.audit`. Keys stand there as hashes only. */
internal object Audit {
    private val log = LoggerFactory.getLogger("dev.ratelimit.audit")

    /** @param endpoint a path as it came, in which there are no line breaks, or that of a route */
    fun refused(
        refusal: RateLimitRefusal,
        key: String?,
        endpoint: String,
        isShadow: Boolean,
    ) {
        if (!log.isInfoEnabled) return
        log.info(
            "{} reason={} rule=\"{}\" policy={} key={} endpoint=\"{}\" retryAfter={}",
            if (isShadow) "would refuse" else "refused",
            refusal.reason,
            refusal.rule,
            refusal.policy ?: "-",
            key?.let { Keys.sought(it, true, refusal.rule) } ?: "-",
            endpoint,
            refusal.retryAfter ?: "-",
        )
    }

    fun acted(
        act: String,
        details: String,
    ) {
        log.info("{} {}", act, details)
    }
}

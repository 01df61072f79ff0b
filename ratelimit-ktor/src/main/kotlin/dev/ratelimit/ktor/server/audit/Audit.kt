package dev.ratelimit.ktor.server.audit

import dev.ratelimit.ktor.server.RateLimitRefusal
import dev.ratelimit.ktor.server.rules.Keys
import org.slf4j.LoggerFactory

/**
 * The log of decisions and of what administrators do: the logger `dev.ratelimit.audit`, on whose level DEBUG are also the calls that
 * passed. Keys stand there as hashes only.
 */
internal object Audit {
    private val log = LoggerFactory.getLogger("dev.ratelimit.audit")
    private const val LONGEST = 300
    private val unseen = setOf(CharCategory.CONTROL, CharCategory.FORMAT, CharCategory.LINE_SEPARATOR, CharCategory.PARAGRAPH_SEPARATOR)

    val isOn: Boolean get() = log.isInfoEnabled

    /** One line stays one line, and one value one value, whatever was sent. */
    fun quoted(text: String): String =
        text.take(LONGEST).map { if (it == '"' || it.category in unseen) '?' else it }.joinToString("", "\"", "\"")

    fun refused(
        refusal: RateLimitRefusal,
        key: String?,
        endpoint: String,
        isShadow: Boolean,
    ) {
        if (!isOn) return
        log.info(
            "{} reason={} rule={} policy={} key={} endpoint={} retryAfter={}",
            if (isShadow) "would refuse" else "refused",
            refusal.reason,
            quoted(refusal.rule),
            refusal.policy ?: "-",
            key?.let { Keys.sought(it, true, refusal.rule) } ?: "-",
            quoted(endpoint),
            refusal.retryAfter ?: "-",
        )
    }

    val isDetailed: Boolean get() = log.isDebugEnabled

    fun passed(
        outcome: String,
        rules: List<String>,
        endpoint: String,
    ) = log.debug("passed outcome={} rules={} endpoint={}", outcome, rules.map(::quoted), quoted(endpoint))

    fun acted(
        act: String,
        details: String,
    ) {
        log.info("{} {}", act, details)
    }
}

package dev.ratelimit.ktor.server.settings

import dev.ratelimit.ktor.server.RateLimitEnvironment
import dev.ratelimit.ktor.server.RateLimitingConfig
import dev.ratelimit.ktor.server.monitoring.LONGEST_RETENTION
import org.slf4j.LoggerFactory
import kotlin.time.Duration.Companion.days

/** Writes what environment variables say into the settings. */
internal class EnvironmentReader(
    private val config: RateLimitingConfig,
    private val variables: Map<String, String>,
) {
    fun read() {
        text("ENVIRONMENT")?.let { config.environment(RateLimitEnvironment.parse(it)) }
        flag("RATE_LIMITING_ENABLED")?.let { config.isEnabled = it }
        flag("ENABLE_RATE_LIMIT_MONITORING")?.let { config.monitoring = it }
        whole("METRICS_RETENTION_DAYS", MOST_DAYS)?.let { config.metricsRetention = it.days }
        whole("REDIS_POOL_SIZE")?.let {
            log.info("REDIS_POOL_SIZE={} needs nothing: calls under way at the same time go to Redis together, over one connection", it)
        }
        text("REDIS_URL")?.let { config.redisUri = it }
    }

    private fun text(name: String) = variables[name]?.trim()?.ifEmpty { null }

    private fun flag(name: String): Boolean? =
        text(name)?.let {
            when (it.lowercase()) {
                "true", "1", "yes", "on" -> true
                "false", "0", "no", "off" -> false
                else -> throw IllegalArgumentException("$name is '$it'; write true or false")
            }
        }

    private fun whole(
        name: String,
        most: Int = Int.MAX_VALUE,
    ): Int? =
        text(name)?.let { text ->
            val number = text.toIntOrNull()
            require(number != null && number in 1..most) { "$name is '$text'; write a whole number from 1 to $most" }
            number
        }

    private companion object {
        val MOST_DAYS = LONGEST_RETENTION.inWholeDays.toInt()
        val log = LoggerFactory.getLogger(EnvironmentReader::class.java)
    }
}

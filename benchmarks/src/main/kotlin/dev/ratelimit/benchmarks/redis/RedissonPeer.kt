package dev.ratelimit.benchmarks.redis

import org.redisson.Redisson
import org.redisson.api.RateType
import org.redisson.config.Config
import java.util.concurrent.CompletionStage

/** Redisson's RRateLimiter, which keeps every grant of the last period. [connections]: how many its pool has; `null` for its default. */
internal class RedissonPeer(
    field: Field,
    scenario: Scenario,
    prefix: String,
    connections: Int?,
) : Contestant<Boolean> {
    private val redisson =
        Redisson.create(
            Config().apply {
                val server = useSingleServer().setAddress(field.server.uri)
                if (connections != null) server.setConnectionPoolSize(connections).setConnectionMinimumIdleSize(connections)
            },
        )
    private val limiters = scenario.names.map { redisson.getRateLimiter("$prefix:$it") }

    init {
        // One after another: ten thousand at once on one connection were seen not to end.
        limiters.forEach { it.trySetRate(RateType.OVERALL, scenario.permits, scenario.period) }
    }

    override fun ask(key: Int): CompletionStage<Boolean> = limiters[key].tryAcquireAsync()

    override fun isAllowed(answer: Boolean): Boolean = answer

    override fun close() = redisson.shutdown()
}

package dev.ratelimit.benchmarks.redis

import dev.ratelimit.KeyedRateLimiter
import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimiter
import java.util.concurrent.CompletionStage

/** A limiter as a contestant, whichever key it is asked for. */
internal class OneKey(
    private val limiter: RateLimiter,
) : Contestant<RateLimitResult> {
    override fun ask(key: Int): CompletionStage<RateLimitResult> = limiter.tryAcquireAsync()

    override fun isAllowed(answer: RateLimitResult): Boolean = answer.isAllowed
}

/** One round of a limiter that mostly answers without asking Redis, by the same window as the other contestants. */
internal class FastRun private constructor(
    val decisions: Long,
    val allowed: Long,
    val perSecond: Double,
    val callsPerSecond: Double,
) {
    companion object {
        private const val IN_FLIGHT = 256
        private const val MILLIS_PER_SECOND = 1_000.0

        fun of(
            field: Field,
            limiters: KeyedRateLimiter<String>,
            millis: Long,
        ): FastRun {
            val window = Window(OneKey(limiters["key"]), keys = 1, IN_FLIGHT)
            val before = field.calls()
            val sample = window.run(millis) { Costs.of(field.server) }
            val calls = field.calls() - before
            return FastRun(sample.decisions, window.allowed, sample.perSecond, calls * MILLIS_PER_SECOND / millis)
        }

        /** The scripts and functions that the server has run. */
        private fun Field.calls(): Long =
            client.connect().use { connection ->
                connection
                    .sync()
                    .info("commandstats")
                    .lineSequence()
                    .filter { it.startsWith("cmdstat_eval") || it.startsWith("cmdstat_fcall") }
                    .sumOf { it.substringAfter("calls=").substringBefore(',').toLong() }
            }
    }
}

package dev.ratelimit.jvm.shared

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimit
import java.time.Duration

/** A limit as four numbers. A period is nanoseconds; one that is too long for that is whole seconds, below zero. */
internal data class StoredLimit(
    @JvmField val algorithm: Int,
    @JvmField val permits: Long,
    @JvmField val period: Long,
    @JvmField val burst: Long,
) {
    /** The limit, or null if no limit has these numbers: then the file is damaged. */
    fun limit(): RateLimit? =
        runCatching {
            val time = if (period >= 0) Duration.ofNanos(period) else Duration.ofSeconds(-period)
            when (ALGORITHMS[algorithm - 1]) {
                Algorithm.TOKEN_BUCKET -> RateLimit.tokenBucket(permits, time).withBurst(burst)
                Algorithm.LEAKY_BUCKET -> RateLimit.leakyBucket(permits, time, burst)
                Algorithm.FIXED_WINDOW -> RateLimit.fixedWindow(permits, time)
                Algorithm.SLIDING_WINDOW -> RateLimit.slidingWindow(permits, time)
                Algorithm.SLIDING_LOG -> RateLimit.slidingLog(permits, time)
            }
        }.getOrNull()

    companion object {
        /** The numbers in the file; a new algorithm goes to the end. */
        private val ALGORITHMS =
            listOf(
                Algorithm.TOKEN_BUCKET,
                Algorithm.LEAKY_BUCKET,
                Algorithm.FIXED_WINDOW,
                Algorithm.SLIDING_WINDOW,
                Algorithm.SLIDING_LOG,
            )

        /** Not a bucket but what processes declare of a limiter. */
        val DECLARATIONS = StoredLimit(100, 1, 1, 1)

        const val NUMBERS = 4

        fun of(limit: RateLimit): StoredLimit =
            StoredLimit(ALGORITHMS.indexOf(limit.algorithm()) + 1, limit.permits(), periodOf(limit), limit.burst())

        private fun periodOf(limit: RateLimit): Long {
            val period = limit.period()
            return runCatching { period.toNanos() }.getOrElse { -period.seconds }
        }

        /** Throws if a file cannot hold buckets of [limit]. */
        fun check(limit: RateLimit) {
            require(periodOf(limit) >= 0 || limit.period().nano == 0) {
                "limit $limit has a period that a shared file cannot hold; above 292 years write whole seconds"
            }
        }
    }
}

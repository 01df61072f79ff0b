package dev.ratelimit.benchmarks.redis

import dev.ratelimit.RateLimit
import java.time.Duration

/** The keys that are asked for, and under which limit: [permits] in [period], all of them at once if nobody came before. */
internal enum class Scenario(
    val title: String,
    val keys: Int,
    val permits: Long,
    val period: Duration,
    private val leastAllowed: Double,
    private val mostAllowed: Double,
) {
    MANY_KEYS("10,000 keys, allowed", 10_000, 100_000, Duration.ofSeconds(1), 0.999, 1.0),
    HOT_KEY_ALLOWED("one hot key, allowed", 1, 1_000_000, Duration.ofSeconds(1), 0.999, 1.0),
    HOT_KEY_DENIED("one hot key, denied", 1, 1, Duration.ofDays(1), 0.0, 0.001),
    ;

    val names: List<String> = List(keys) { "user-$it" }

    val limit: RateLimit = RateLimit.tokenBucket(permits, period)

    /** Nobody wins by the wrong answer. */
    fun verify(
        name: String,
        allowed: Long,
        decisions: Long,
    ) = check(allowed >= decisions * leastAllowed && allowed <= decisions * mostAllowed + 1) {
        "$name allowed $allowed of $decisions decisions of '$title'"
    }
}

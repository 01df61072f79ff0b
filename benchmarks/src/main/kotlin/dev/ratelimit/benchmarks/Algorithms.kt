package dev.ratelimit.benchmarks

import dev.ratelimit.LocalRateLimiter
import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.RateLimiter
import org.openjdk.jmh.annotations.Benchmark
import org.openjdk.jmh.annotations.BenchmarkMode
import org.openjdk.jmh.annotations.Mode
import org.openjdk.jmh.annotations.OutputTimeUnit
import org.openjdk.jmh.annotations.Param
import org.openjdk.jmh.annotations.Scope
import org.openjdk.jmh.annotations.Setup
import org.openjdk.jmh.annotations.State
import org.openjdk.jmh.annotations.TearDown
import java.time.Duration
import java.util.concurrent.TimeUnit

/** One hot bucket of each kind, and two limits asked as one. Every call is allowed. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
open class Algorithms {
    /** The limits of one limiter; none of them ever denies. */
    enum class Limits(
        internal vararg val limits: RateLimit,
    ) {
        LEAKY_BUCKET(RateLimit.leakyBucket(BILLION, SECOND, BILLION)),
        FIXED_WINDOW(RateLimit.fixedWindow(BILLION, SECOND)),
        SLIDING_WINDOW(RateLimit.slidingWindow(BILLION, SECOND)),

        /** As many grants as one hot thread can ask for in a millisecond, all of them remembered. */
        SLIDING_LOG(RateLimit.slidingLog(HUNDRED_THOUSAND, Duration.ofMillis(1))),
        TOKEN_BUCKET_OF_ODD_RATE(RateLimit.tokenBucket(ODD_BILLION, SECOND)),
        TWO_LIMITS(RateLimit.tokenBucket(BILLION, SECOND), RateLimit.tokenBucket(HUNDRED_BILLION, Duration.ofMinutes(1))),
    }

    @Param
    lateinit var limits: Limits

    private lateinit var ours: LocalRateLimiter

    @Setup
    fun make() {
        ours = RateLimiter("hot", *limits.limits)
    }

    @TearDown
    fun verify() = Answer.ALLOWED.verify { ours() }

    @Benchmark
    fun ours(): Boolean = ours.tryAcquire().isAllowed

    private companion object {
        val SECOND: Duration = Duration.ofSeconds(1)
        const val BILLION = 1_000_000_000L
        const val HUNDRED_BILLION = 100 * BILLION
        const val HUNDRED_THOUSAND = 100_000L

        /** Prime, so the rate has no shorter form, and an instant no exact one in 64 bits. */
        const val ODD_BILLION = 999_999_937L
    }
}

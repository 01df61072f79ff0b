package dev.ratelimit.benchmarks

import dev.ratelimit.LocalRateLimiter
import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.RateLimiter
import org.openjdk.jmh.annotations.Benchmark
import org.openjdk.jmh.annotations.BenchmarkMode
import org.openjdk.jmh.annotations.Mode
import org.openjdk.jmh.annotations.OutputTimeUnit
import org.openjdk.jmh.annotations.Param
import org.openjdk.jmh.annotations.Scope
import org.openjdk.jmh.annotations.Setup
import org.openjdk.jmh.annotations.State
import java.time.Duration
import java.util.concurrent.TimeUnit

/**
 * [HotBucket] in a process that has used every algorithm before, with keys and without, and with several limits. The compiler then
 * no longer knows that there is only one kind of bucket and one arithmetic.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
open class HotBucketAmongOthers {
    @Param
    lateinit var answer: Answer

    private val floor = Floor()
    private lateinit var ours: LocalRateLimiter

    @Setup
    fun make() {
        val second = Duration.ofSeconds(1)
        val limits =
            listOf(
                RateLimit.tokenBucket(A_THOUSAND, second),
                RateLimit.tokenBucket(Long.MAX_VALUE, second),
                RateLimit.leakyBucket(A_THOUSAND, second, A_THOUSAND),
                RateLimit.fixedWindow(A_THOUSAND, second),
                RateLimit.slidingWindow(A_THOUSAND, second),
                RateLimit.slidingLog(A_THOUSAND, second),
            )
        val single = limits.map { RateLimiter("single", it) } + RateLimiter("all", *limits.toTypedArray())
        val keyed = limits.map { KeyedRateLimiter<Int>("keyed", it) }
        repeat(ENOUGH) { i ->
            single.forEach { it.tryAcquire() }
            keyed.forEach { it[i and MANY_KEYS].tryAcquire() }
        }
        ours = RateLimiter("hot", answer.limit)
        answer.settle { ours() }
    }

    @Benchmark
    fun floor(): Boolean = floor.step()

    @Benchmark
    fun ours(): Boolean = ours.tryAcquire().isAllowed

    private companion object {
        const val A_THOUSAND = 1_000L
        const val ENOUGH = 30_000
        const val MANY_KEYS = 1023
    }
}

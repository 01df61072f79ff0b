package dev.ratelimit.benchmarks

import dev.ratelimit.LocalRateLimiter
import dev.ratelimit.jvm.RateLimiter
import io.github.bucket4j.Bucket
import org.openjdk.jmh.annotations.Benchmark
import org.openjdk.jmh.annotations.BenchmarkMode
import org.openjdk.jmh.annotations.Mode
import org.openjdk.jmh.annotations.OutputTimeUnit
import org.openjdk.jmh.annotations.Param
import org.openjdk.jmh.annotations.Scope
import org.openjdk.jmh.annotations.Setup
import org.openjdk.jmh.annotations.State
import org.openjdk.jmh.annotations.TearDown
import java.util.concurrent.TimeUnit
import com.google.common.util.concurrent.RateLimiter as GuavaLimiter
import dev.failsafe.RateLimiter as FailsafeLimiter
import io.github.resilience4j.ratelimiter.RateLimiter as Resilience4jLimiter

/** One bucket that every thread asks for one permit, as fast as it can. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
open class HotBucket {
    @Param
    lateinit var answer: Answer

    private val floor = Floor()
    private lateinit var ours: LocalRateLimiter
    private lateinit var bucket4j: Bucket
    private lateinit var resilience4j: Resilience4jLimiter
    private lateinit var guava: GuavaLimiter
    private lateinit var failsafe: FailsafeLimiter<Any>

    @Setup
    fun make() {
        ours = RateLimiter("hot", answer.limit)
        bucket4j = answer.of(Peers::bucket4j)
        resilience4j = answer.of(Peers::resilience4j)
        guava = answer.of(Peers::guava)
        failsafe = answer.of(Peers::failsafe)
        each { answer.settle(it) }
    }

    @TearDown
    fun verify() = each { answer.verify(it) }

    private fun each(action: (() -> Boolean) -> Unit) =
        listOf({ ours() }, { bucket4j() }, { resilience4j() }, { guava() }, { failsafe() }).forEach(action)

    @Benchmark
    fun floor(): Boolean = floor.step()

    @Benchmark
    fun ours(): Boolean = ours.tryAcquire().isAllowed

    @Benchmark
    fun bucket4j(): Boolean = bucket4j.tryConsume(1)

    @Benchmark
    fun resilience4j(): Boolean = resilience4j.acquirePermission()

    @Benchmark
    fun guava(): Boolean = guava.tryAcquire()

    @Benchmark
    fun failsafe(): Boolean = failsafe.tryAcquirePermit()
}

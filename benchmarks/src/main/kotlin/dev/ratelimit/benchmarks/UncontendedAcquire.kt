package dev.ratelimit.benchmarks

import dev.ratelimit.LocalRateLimiter
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.acquire
import kotlinx.coroutines.runBlocking
import org.openjdk.jmh.annotations.Benchmark
import org.openjdk.jmh.annotations.BenchmarkMode
import org.openjdk.jmh.annotations.Mode
import org.openjdk.jmh.annotations.OperationsPerInvocation
import org.openjdk.jmh.annotations.OutputTimeUnit
import org.openjdk.jmh.annotations.Scope
import org.openjdk.jmh.annotations.State
import java.util.concurrent.TimeUnit

/** `acquire()` that never has to wait, in a coroutine; and `tryAcquire()` in the same coroutine's loop, as its floor. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
open class UncontendedAcquire {
    private val limiter: LocalRateLimiter = RateLimiter("hot", Answer.ALLOWED.limit)

    @Benchmark
    @OperationsPerInvocation(CALLS)
    fun ours(): Int =
        runBlocking {
            var allowed = 0
            repeat(CALLS) { if (limiter.acquire().isAllowed) allowed++ }
            allowed
        }

    @Benchmark
    @OperationsPerInvocation(CALLS)
    fun floor(): Int =
        runBlocking {
            var allowed = 0
            repeat(CALLS) { if (limiter.tryAcquire().isAllowed) allowed++ }
            allowed
        }

    private companion object {
        const val CALLS = 10_000
    }
}

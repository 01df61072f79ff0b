package dev.ratelimit.benchmarks

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.KeyedRateLimiter
import org.openjdk.jmh.annotations.Benchmark
import org.openjdk.jmh.annotations.BenchmarkMode
import org.openjdk.jmh.annotations.Fork
import org.openjdk.jmh.annotations.Mode
import org.openjdk.jmh.annotations.OutputTimeUnit
import org.openjdk.jmh.annotations.Scope
import org.openjdk.jmh.annotations.State
import java.time.Duration
import java.util.concurrent.TimeUnit

/**
 * As [MillionKeys], but with limits that refill between two calls for the same key. The store then forgets keys all the time and makes
 * them anew; the map by hand keeps them for ever.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(jvmArgsAppend = ["-Xms3g", "-Xmx3g"])
open class MillionIdleKeys {
    @State(Scope.Benchmark)
    open class Ours {
        internal val limiter = KeyedRateLimiter<String>("users", RateLimit.tokenBucket(PERMITS, PERIOD))
    }

    @State(Scope.Benchmark)
    open class Floor {
        internal val map = GcraMap(PERIOD.toNanos() / PERMITS, PERMITS)
    }

    @Benchmark
    fun ours(
        keys: Keys,
        ours: Ours,
    ): Boolean = ours.limiter[keys.next()].tryAcquire().isAllowed

    @Benchmark
    fun floor(
        keys: Keys,
        floor: Floor,
    ): Boolean = floor.map.tryAcquire(keys.next())

    private companion object {
        const val PERMITS = 100L
        val PERIOD: Duration = Duration.ofSeconds(1)
    }
}

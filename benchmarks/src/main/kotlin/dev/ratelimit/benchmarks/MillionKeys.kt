package dev.ratelimit.benchmarks

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.KeyedRateLimiter
import io.github.bucket4j.Bucket
import org.openjdk.jmh.annotations.Benchmark
import org.openjdk.jmh.annotations.BenchmarkMode
import org.openjdk.jmh.annotations.Fork
import org.openjdk.jmh.annotations.Mode
import org.openjdk.jmh.annotations.OutputTimeUnit
import org.openjdk.jmh.annotations.Scope
import org.openjdk.jmh.annotations.Setup
import org.openjdk.jmh.annotations.State
import java.time.Duration
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.TimeUnit
import com.google.common.util.concurrent.RateLimiter as GuavaLimiter

/**
 * One permit for a random one of a million keys. The limits refill slowly, so that every key stays in use and none is forgotten; and
 * their bursts are large, so that every call is allowed.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(jvmArgsAppend = ["-Xms3g", "-Xmx3g"])
open class MillionKeys {
    @State(Scope.Benchmark)
    open class Ours {
        internal val limiter = KeyedRateLimiter<String>("users", RateLimit.tokenBucket(PERMITS, PERIOD))

        @Setup
        fun fill(keys: Keys) = filled(keys) { limiter[it].tryAcquire().isAllowed }
    }

    @State(Scope.Benchmark)
    open class Floor {
        internal val map = GcraMap(PERIOD.toNanos() / PERMITS, PERMITS)

        @Setup
        fun fill(keys: Keys) = filled(keys) { map.tryAcquire(it) }
    }

    @State(Scope.Benchmark)
    open class Bucket4j {
        internal val map = ConcurrentHashMap<String, Bucket>()

        @Setup
        fun fill(keys: Keys) = filled(keys) { ask(it) }

        internal fun ask(key: String): Boolean =
            (map[key] ?: map.computeIfAbsent(key) { Peers.bucket4j(PERMITS, PERIOD) }).tryConsume(1)
    }

    @State(Scope.Benchmark)
    open class Guava {
        internal val map = ConcurrentHashMap<String, GuavaLimiter>()

        @Setup
        fun fill(keys: Keys) = filled(keys) { ask(it) }

        internal fun ask(key: String): Boolean = (map[key] ?: map.computeIfAbsent(key) { GuavaLimiter.create(A_BILLION) }).tryAcquire()
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

    @Benchmark
    fun bucket4j(
        keys: Keys,
        bucket4j: Bucket4j,
    ): Boolean = bucket4j.ask(keys.next())

    @Benchmark
    fun guava(
        keys: Keys,
        guava: Guava,
    ): Boolean = guava.ask(keys.next())

    private companion object {
        const val PERMITS = 100_000L
        val PERIOD: Duration = Duration.ofDays(10)

        /** Guava's burst is one second's permits. */
        const val A_BILLION = 1e9

        fun filled(
            keys: Keys,
            ask: (String) -> Boolean,
        ) {
            keys.forEach { check(ask(it)) { "a permit for $it was denied" } }
            System.gc()
        }
    }
}

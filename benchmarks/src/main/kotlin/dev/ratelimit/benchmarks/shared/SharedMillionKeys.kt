package dev.ratelimit.benchmarks.shared

import dev.ratelimit.RateLimit
import dev.ratelimit.benchmarks.Keys
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.SharedMemoryStore
import dev.ratelimit.spi.LocalRateLimitStore
import org.openjdk.jmh.annotations.Benchmark
import org.openjdk.jmh.annotations.BenchmarkMode
import org.openjdk.jmh.annotations.Fork
import org.openjdk.jmh.annotations.Mode
import org.openjdk.jmh.annotations.OutputTimeUnit
import org.openjdk.jmh.annotations.Scope
import org.openjdk.jmh.annotations.Setup
import org.openjdk.jmh.annotations.State
import org.openjdk.jmh.annotations.TearDown
import java.time.Duration
import java.util.concurrent.TimeUnit

/** One permit for a random one of a million keys of one process, none of which is ever full again: in memory, and in a shared file. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(jvmArgsAppend = ["-Xms3g", "-Xmx3g"])
open class SharedMillionKeys {
    @State(Scope.Benchmark)
    abstract class Million(
        private val store: LocalRateLimitStore,
    ) {
        private val limiter = KeyedRateLimiter<String>("users", LIMIT, store = store)

        @Setup
        fun fill(keys: Keys) {
            keys.forEach { check(ask(it)) { "a permit for $it was denied" } }
            System.gc()
        }

        @TearDown
        fun close() = store.close()

        internal fun ask(key: String): Boolean = limiter[key].tryAcquire().isAllowed
    }

    open class Memory : Million(MemoryStore())

    open class Shared : Million(SharedMemoryStore.open(SharedFolder.path(), Keys.COUNT))

    @Benchmark
    fun memory(
        keys: Keys,
        million: Memory,
    ): Boolean = million.ask(keys.next())

    @Benchmark
    fun shared(
        keys: Keys,
        million: Shared,
    ): Boolean = million.ask(keys.next())

    private companion object {
        val LIMIT: RateLimit = RateLimit.tokenBucket(100_000, Duration.ofDays(10))
    }
}

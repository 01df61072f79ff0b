package dev.ratelimit.benchmarks.shared

import dev.ratelimit.LocalRateLimiter
import dev.ratelimit.benchmarks.Answer
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.SharedMemoryStore
import dev.ratelimit.spi.LocalRateLimitStore
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

/** One bucket of one process that is asked for one permit, as fast as it can be: in memory, and in a shared file. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
open class SharedHotBucket {
    /** Only one of the stores is made in a JVM, as in a program; so calls that the compiler can resolve are resolved. */
    @State(Scope.Benchmark)
    abstract class Hot {
        @Param
        lateinit var answer: Answer

        internal lateinit var store: LocalRateLimitStore
        internal lateinit var limiter: LocalRateLimiter

        internal abstract fun made(): LocalRateLimitStore

        @Setup
        fun make() {
            store = made()
            limiter = RateLimiter("hot", answer.limit, store = store)
            answer.settle(::ask)
        }

        @TearDown
        fun verify() {
            answer.verify(::ask)
            store.close()
        }

        internal fun ask(): Boolean = limiter.tryAcquire().isAllowed
    }

    open class Memory : Hot() {
        override fun made(): LocalRateLimitStore = MemoryStore()
    }

    open class Shared : Hot() {
        override fun made(): LocalRateLimitStore = SharedMemoryStore.open(SharedFolder.path())
    }

    @Benchmark
    fun memory(hot: Memory): Boolean = hot.ask()

    @Benchmark
    fun shared(hot: Shared): Boolean = hot.ask()
}

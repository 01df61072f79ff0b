package dev.ratelimit.benchmarks.shared

import dev.ratelimit.KeyedRateLimiter
import dev.ratelimit.LocalKeyedRateLimiter
import dev.ratelimit.RateLimit
import dev.ratelimit.benchmarks.redis.OneKey
import dev.ratelimit.benchmarks.redis.Window
import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.SharedMemoryStore
import java.time.Duration
import java.util.SplittableRandom
import kotlin.io.path.Path

/** What each of several processes does, on one store whose place it is told: asks for permits that are there, as fast as it can. */
internal enum class Work {
    /** All processes ask the same key. */
    ONE_KEY {
        override fun on(
            place: String,
            number: Int,
        ) = shared(place)["hot"].let { limiter -> Loop { limiter.tryAcquire().isAllowed } }
    },

    /** Each process asks a key of its own. */
    OWN_KEY {
        override fun on(
            place: String,
            number: Int,
        ) = shared(place)["own-$number"].let { limiter -> Loop { limiter.tryAcquire().isAllowed } }
    },

    /** Each process asks ten thousand keys of its own, in no order, through the map of the limiter. */
    MANY_KEYS {
        override fun on(
            place: String,
            number: Int,
        ) = manyKeys(shared(place), number)
    },

    /** As [MANY_KEYS], but each process in a memory of its own. */
    MEMORY_MANY_KEYS {
        override fun on(
            place: String,
            number: Int,
        ) = manyKeys(KeyedRateLimiter("crew", LIMIT), number)
    },

    /** One thread of each process asks the same key through Redis, and waits for each answer. */
    REDIS_ONE_KEY {
        override fun on(
            place: String,
            number: Int,
        ) = redis(place)["hot"].let { limiter -> Loop { limiter.tryAcquireBlocking().isAllowed } }
    },

    /** Each process has 256 questions in flight, all for the same key. */
    REDIS_IN_FLIGHT {
        override fun on(
            place: String,
            number: Int,
        ) = redis(place)["hot"].let { limiter -> Count { nanos -> Window(OneKey(limiter), keys = 1, IN_FLIGHT).checks(nanos) } }
    },
    ;

    /** This work of the process with this [number]. */
    abstract fun on(
        place: String,
        number: Int,
    ): Count

    internal companion object {
        const val MANY = 10_000
        private const val IN_FLIGHT = 256
        private const val SECONDS_TO_ANSWER = 10L
        private const val NANOS_PER_MILLI = 1_000_000L

        /** More than can be asked for. */
        private val LIMIT = RateLimit.tokenBucket(100_000_000, Duration.ofSeconds(1))

        private fun manyKeys(
            limiters: LocalKeyedRateLimiter<String>,
            number: Int,
        ): Count {
            val keys = Array(MANY) { "user-$number-$it" }
            val random = SplittableRandom(number.toLong())
            return Loop { limiters[keys[random.nextInt(MANY)]].tryAcquire().isAllowed }
        }

        private fun shared(place: String) =
            KeyedRateLimiter<String>("crew", LIMIT, store = SharedMemoryStore.open(Path(place)))

        /** What Redis has not decided does not count, so it has time, and nobody decides in its place. */
        private fun redis(place: String): KeyedRateLimiter<String> {
            val builder = RedisStore.builder().keyPrefix("crew:").deadline(Duration.ofSeconds(SECONDS_TO_ANSWER))
            return KeyedRateLimiter("crew", LIMIT, store = builder.failurePolicy(FailurePolicy.raise()).connect(place))
        }

        private fun Window<*>.checks(nanos: Long): Double = run(nanos / NANOS_PER_MILLI).perSecond
    }
}

/** Works for a while, and tells the checks a second. */
internal fun interface Count {
    fun during(nanos: Long): Double
}

/** Asks again and again on one thread. */
internal class Loop(
    private val ask: () -> Boolean,
) : Count {
    override fun during(nanos: Long): Double {
        val start = System.nanoTime()
        var asked = 0L
        var allowed = 0L
        var now: Long
        do {
            repeat(BATCH) { if (ask()) allowed++ }
            asked += BATCH
            now = System.nanoTime()
        } while (now - start < nanos)
        check(allowed == asked) { "${asked - allowed} of $asked permits were denied" }
        return asked * NANOS_PER_SECOND / (now - start)
    }

    private companion object {
        const val BATCH = 16
        const val NANOS_PER_SECOND = 1e9
    }
}

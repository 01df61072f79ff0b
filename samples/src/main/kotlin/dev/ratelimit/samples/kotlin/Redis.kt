package dev.ratelimit.samples.kotlin

import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.RateLimit
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.tryAcquire
import kotlinx.coroutines.runBlocking
import kotlin.time.Duration.Companion.milliseconds

/** One limit for all processes that use the same Redis. Without a server it goes on with a quarter of the limit, in memory. */
fun main() =
    runBlocking {
        val redis =
            RedisStore
                .builder()
                .keyPrefix("samples:")
                .deadline(100.milliseconds)
                .failurePolicy(FailurePolicy.local(share = 0.25))
                .mayStartAway(true)
                .connect(System.getenv("REDIS_URL") ?: "redis://localhost:6379")
        redis.use { store ->
            val api = RateLimiter("api", RateLimit.perHour(8), store = store)
            val granted = (1..10).count { api.tryAcquire().isAllowed }
            println("$granted of 10 calls, by $store")
        }
    }

package dev.ratelimit.samples.kotlin

import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.RateLimit
import dev.ratelimit.jvm.RateLimitStores
import dev.ratelimit.jvm.remaining
import dev.ratelimit.jvm.tryAcquire
import kotlinx.coroutines.runBlocking

/** Where the limits are kept is said where the program runs: in Redis if `REDIS_URL` is set, otherwise in memory. */
fun main() =
    runBlocking {
        RateLimitStores.fromEnvironment().use { store ->
            val perUser = KeyedRateLimiter<String>("users", RateLimit.perMinute(60).withBurst(90), store = store)
            println("alice: ${perUser["alice"].tryAcquire().remaining} left")
        }
    }

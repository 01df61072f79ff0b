package dev.ratelimit.samples.kotlin

import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.limit
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.jvm.retryAfter
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlin.time.Duration.Companion.minutes

/** Several limits rule together: all grant, or none is charged. A refusal tells which one it was. */
fun main() =
    runBlocking {
        val api = RateLimiter("api", 10.perSecond, 12.perHour)

        while (true) {
            val result = api.tryAcquire(4)
            println(if (result.isAllowed) "four calls" else "refused by ${result.limit}, retry in ${result.retryAfter}")
            if (result.retryAfter > 1.minutes) break
            delay(result.retryAfter)
        }
    }

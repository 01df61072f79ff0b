package dev.ratelimit.samples.kotlin

import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.RateLimit
import dev.ratelimit.jvm.remaining
import dev.ratelimit.jvm.retryAfter

/** The same limit for each of many keys; idle ones are forgotten as soon as that loses nothing. */
fun main() {
    val perUser = KeyedRateLimiter<String>("users", RateLimit.perMinute(60).withBurst(3))

    repeat(4) {
        val result = perUser["alice"].tryAcquire()
        println(if (result.isAllowed) "alice: yes, ${result.remaining} left" else "alice: no, retry in ${result.retryAfter}")
    }
    println("bob: ${if (perUser["bob"].tryAcquire().isAllowed) "yes" else "no"}")
}

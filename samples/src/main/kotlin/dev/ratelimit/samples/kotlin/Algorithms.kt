package dev.ratelimit.samples.kotlin

import dev.ratelimit.jvm.RateLimit
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.delay
import dev.ratelimit.jvm.perMinute
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** The ways to count. Ask each for eight permits at the same moment: how many come? */
fun main() {
    val limits =
        listOf(
            5.perMinute.withBurst(3),
            RateLimit.leakyBucket(5, 1.minutes, capacity = 3),
            RateLimit.fixedWindow(5, 1.minutes),
            RateLimit.slidingWindow(5, 1.minutes),
            RateLimit.slidingLog(5, 1.minutes),
            RateLimit.every(10.seconds),
            RateLimit.parse("5/1m burst 3"),
        )
    for (limit in limits) {
        val limiter = RateLimiter("sample", limit)
        val results = List(8) { limiter.tryAcquire() }
        val turns = results.filter { it.isAllowed }.map { it.delay }
        println("$limit: ${turns.size} of 8" + if (turns.any { it.isPositive() }) ", with turns in $turns" else "")
    }
}

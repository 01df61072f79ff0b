package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.jvm.RateLimiters
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.perSecond

/** A program whose class path has no Lettuce. */
internal fun main() {
    println("in memory: ${RateLimiters.create("memory", 10.perSecond).tryAcquire().isAllowed}")
    try {
        RedisStore.connect("redis://localhost").close()
    } catch (e: IllegalStateException) {
        println("in Redis: ${e.message}")
    }
}

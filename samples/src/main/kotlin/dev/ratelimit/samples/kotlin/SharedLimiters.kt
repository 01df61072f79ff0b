package dev.ratelimit.samples.kotlin

import dev.ratelimit.jvm.RateLimiterRegistry
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perSecond

/** Parts of a program that do not know each other share a limiter by its name. */
fun main() {
    val registry = RateLimiterRegistry()

    val crawler = registry.limiter("sec.gov", 10.perSecond)
    val importer = registry.limiter("sec.gov", 10.perSecond)
    println("the same limiter: ${crawler === importer}")

    // Other limits under the same name are most likely a mistake, and an error that says what to do.
    println(runCatching { registry.limiter("sec.gov", 20.perSecond) }.exceptionOrNull()?.message)

    // Or let the strictest win: for all who hold the limiter, and for those who wait.
    registry.tighten("sec.gov", 5.perSecond, 1000.perHour)
    println("now ${crawler.limits()}")
}

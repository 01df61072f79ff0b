package dev.ratelimit.samples.kotlin

import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.jvm.wrap
import kotlinx.coroutines.runBlocking

private suspend fun translate(word: String): String = word.reversed()

/** A function that waits for a permit before each call, and looks to its callers like the one it wraps. */
fun main() =
    runBlocking {
        val limiter = RateLimiter("translations", 20.perSecond.withBurst(2))
        val politely = limiter.wrap(::translate)

        println(listOf("one", "two", "three", "four").map { politely(it) })
    }

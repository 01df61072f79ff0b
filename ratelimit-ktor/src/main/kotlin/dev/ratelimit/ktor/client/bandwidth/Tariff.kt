package dev.ratelimit.ktor.client.bandwidth

import dev.ratelimit.KeyedRateLimiter
import dev.ratelimit.RateLimiter
import dev.ratelimit.ktor.client.rules.comparable
import java.util.UUID
import java.util.concurrent.atomic.AtomicLong

/** The limiters that rule the bodies of one direction. */
internal class Tariff(
    private val total: RateLimiter?,
    private val perHost: KeyedRateLimiter<String>?,
    private val perCall: KeyedRateLimiter<String>?,
) {
    private val client = UUID.randomUUID().toString()
    private val calls = AtomicLong()

    /** Those that rule one call, the most particular first: who waits for its own permits should not hold those of others. */
    fun limitersOf(urlHost: String): List<RateLimiter> =
        listOfNotNull(perCall?.get("$client ${calls.incrementAndGet()}"), perHost?.get(comparable(urlHost)), total)
}

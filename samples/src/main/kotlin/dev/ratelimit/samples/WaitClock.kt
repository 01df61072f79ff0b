package dev.ratelimit.samples

import dev.ratelimit.RateLimitListener
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration.Companion.nanoseconds
import java.time.Duration as JavaDuration

/** Adds up the time that requests have spent waiting for permits. */
internal class WaitClock : RateLimitListener {
    private val nanos = AtomicLong()

    val total get() = nanos.get().nanoseconds

    override fun onGrant(limiter: String, key: Any?, permits: Long, waited: JavaDuration) {
        nanos.addAndGet(waited.toNanos())
    }
}

package dev.ratelimit.benchmarks.redis

import dev.ratelimit.KeyedRateLimiter
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicLongArray
import java.util.concurrent.locks.LockSupport

/**
 * A thousand calls a second by the schedule, whether or not earlier ones are answered; each decision is timed from the instant of its
 * call. Calls that the schedule's thread was too late for are made at once.
 */
internal class Calls(
    private val limiters: KeyedRateLimiter<String>,
    private val seconds: Long,
) {
    private val count = Math.toIntExact(seconds * PER_SECOND)
    private val nanos = AtomicLongArray(count)
    private val answered = AtomicInteger()
    private val failures = AtomicInteger()

    val failed: Int get() = failures.get()
    val missing: Int get() = count - answered.get()

    /** The time of each decision, sorted. */
    val micros: LongArray get() = (0 until count).map { TimeUnit.NANOSECONDS.toMicros(nanos[it]) }.filter { it > 0 }.sorted().toLongArray()

    /** Makes all calls, and waits a little for the last answers. */
    fun run() {
        val begin = System.nanoTime()
        for (i in 0 until count) {
            val due = begin + i * SPACING
            while (System.nanoTime() < due) LockSupport.parkNanos(due - System.nanoTime())
            call(i)
        }
        val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS_FOR_THE_LAST)
        while (missing > 0 && System.nanoTime() < end) Thread.sleep(10)
    }

    private fun call(number: Int) {
        val start = System.nanoTime()
        limiters["user-${number % KEYS}"].tryAcquireAsync().whenComplete { _, failure ->
            nanos[number] = maxOf(System.nanoTime() - start, NANOS_PER_MICRO)
            if (failure != null) failures.incrementAndGet()
            answered.incrementAndGet()
        }
    }

    companion object {
        const val PER_SECOND = 1_000L
        private const val SPACING = 1_000_000_000L / PER_SECOND
        private const val KEYS = 1_000
        private const val SECONDS_FOR_THE_LAST = 5L
        private const val NANOS_PER_MICRO = 1_000L
    }
}

package dev.ratelimit.benchmarks

import java.util.concurrent.atomic.AtomicLong

/** What no limiter that keeps time and is safe for threads can do without: one look at the clock and one compare-and-set. */
internal class Floor {
    private val last = AtomicLong(System.nanoTime())

    fun step(): Boolean {
        val before = last.get()
        return last.compareAndSet(before, System.nanoTime())
    }
}

package dev.ratelimit.benchmarks

import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicLong

/**
 * What one would write by hand: a map from each key to the instant at which its bucket is full again, and the arithmetic of a token
 * bucket (GCRA) around one compare-and-set. It answers yes or no only, and forgets no key.
 */
internal class GcraMap(
    private val nanosPerPermit: Long,
    burst: Long,
) {
    private val capacity = burst * nanosPerPermit
    private val fullAt = ConcurrentHashMap<String, AtomicLong>()

    fun tryAcquire(key: String): Boolean {
        val now = System.nanoTime()
        val cell = fullAt[key] ?: fullAt.computeIfAbsent(key) { AtomicLong(now) }
        while (true) {
            val before = cell.get()
            val level = (before - now).coerceAtLeast(0) + nanosPerPermit
            if (level > capacity) return false
            if (cell.compareAndSet(before, now + level)) return true
        }
    }
}

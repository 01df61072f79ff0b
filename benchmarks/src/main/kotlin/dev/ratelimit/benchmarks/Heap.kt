package dev.ratelimit.benchmarks

import java.lang.management.ManagementFactory

/** The live heap of this process. Run it with the serial collector, whose numbers have no regions or remembered sets in them. */
internal object Heap {
    /** Bytes in use once everything unreachable is gone. */
    fun used(): Long {
        repeat(COLLECTIONS) { System.gc() }
        return ManagementFactory.getMemoryMXBean().heapMemoryUsage.used
    }

    /** The bytes that what [make] returns adds to the heap, for each of [count]. */
    fun <T> perItem(
        count: Int,
        make: () -> T,
    ): Pair<Double, T> {
        val before = used()
        val made = make()
        return (used() - before).toDouble() / count to made
    }

    private const val COLLECTIONS = 3
}

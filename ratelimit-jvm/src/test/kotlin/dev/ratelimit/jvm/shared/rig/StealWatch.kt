package dev.ratelimit.jvm.shared.rig

import java.io.File
import java.io.IOException
import java.util.concurrent.ConcurrentSkipListMap
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit

/**
 * How long the machine beneath this one keeps processors from it, which Linux counts for each of them in hundredths of a second
 * (`steal` in `/proc/stat`). To a thread such a time looks like its own. Where it is not told, nothing was taken.
 */
internal class StealWatch : AutoCloseable {
    /** By the time of the look, what each processor has lost until then. */
    private val looks = ConcurrentSkipListMap<Long, LongArray>()
    private val timer =
        Executors.newSingleThreadScheduledExecutor { task -> Thread(task, "steal-watch").apply { isDaemon = true } }

    init {
        timer.scheduleAtFixedRate(::look, 0, EVERY_MILLIS, TimeUnit.MILLISECONDS)
    }

    private fun look() {
        try {
            val lines = File("/proc/stat").readLines().filter { it.startsWith("cpu") && it[3].isDigit() }
            looks[System.nanoTime()] = LongArray(lines.size) { lines[it].split(' ').getOrNull(STEAL)?.toLongOrNull() ?: 0 }
        } catch (ignored: IOException) {
            // Nobody is told of it here.
        }
    }

    /** What the processor that lost most has lost in the [nanos] before [until], in nanoseconds. */
    fun taken(
        nanos: Long,
        until: Long,
    ): Long {
        val before = looks.floorEntry(until - nanos)?.value ?: return 0
        val after = (looks.ceilingEntry(until) ?: looks.lastEntry()).value
        return (before.indices.maxOfOrNull { after[it] - before[it] } ?: 0) * NANOS_PER_TICK
    }

    override fun close() {
        timer.shutdownNow()
    }

    private companion object {
        const val EVERY_MILLIS = 10L
        const val STEAL = 8
        const val NANOS_PER_TICK = 10_000_000L
    }
}

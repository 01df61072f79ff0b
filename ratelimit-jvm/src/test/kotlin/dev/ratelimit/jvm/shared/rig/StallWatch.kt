package dev.ratelimit.jvm.shared.rig

import java.io.IOException
import java.io.RandomAccessFile

/**
 * How long the calls of one thread take, told apart from how long the system keeps the thread from running because others do: Linux counts
 * that for each thread. Where it does not, all is the thread's own time. Belongs to the thread that calls [begin] first.
 *
 * For comparison the longest time between two calls, in which nobody has touched the file, is measured in the same way: what the machine
 * does to a thread that is not told by that count, it does to both.
 */
internal class StallWatch(
    private val tally: Tally,
) {
    private val counts by lazy { runCatching { RandomAccessFile("/proc/thread-self/schedstat", "r") }.getOrNull() }
    private val bytes = ByteArray(100)
    private var keptSoFar = 0L
    private var answered = 0L

    /** When the count was read last: what had added up before is no excuse for a call. */
    private var read = 0L

    fun begin() {
        keptSoFar = kept()
        answered = System.nanoTime()
        read = answered
    }

    /** The call that began at [called] is over. */
    fun answered(
        called: Long,
        kind: Kind,
    ) {
        val now = System.nanoTime()
        val call = now - called
        val pause = called - answered
        answered = now
        if (isWarm() && (call > NOTICED || pause > NOTICED)) {
            val kept = kept() - keptSoFar
            if (call - kept > tally[Tally.LONGEST_OWN]) {
                tally[Tally.LONGEST_OWN] = call - kept
                tally[Tally.LONGEST_KIND] = kind.ordinal.toLong()
            }
            if (call - kept > LONG) tally.add(Stall(call - kept, now, kind))
            tally.raise(Tally.LONGEST_PAUSE, pause - kept)
            begin()
        } else if (now - read > FRESH) {
            begin()
        }
        if (isWarm()) tally.raise(Tally.LONGEST, call)
    }

    /** The first calls load classes. */
    private fun isWarm() = tally[Tally.ANSWERS] > COLD_CALLS

    /** The nanoseconds in which this thread could have run and did not. */
    private fun kept(): Long {
        val file = counts ?: return 0
        return try {
            file.seek(0)
            val length = file.read(bytes)
            String(bytes, 0, length.coerceAtLeast(0), Charsets.US_ASCII).split(' ').getOrNull(1)?.toLongOrNull() ?: 0
        } catch (ignored: IOException) {
            0
        }
    }

    private companion object {
        const val COLD_CALLS = 2_000L
        const val NOTICED = 5_000_000L
        const val LONG = 80_000_000L
        const val FRESH = 1_000_000L
    }
}

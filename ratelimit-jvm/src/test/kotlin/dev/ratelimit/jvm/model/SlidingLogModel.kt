package dev.ratelimit.jvm.model

import java.math.BigInteger

/**
 * the definition: "any half-open window of one period holds ≤ permits". An entry counts while t − its instant < period.
 * An instant before the newest entry's counts as that instant, also after a refund has emptied that entry.
 */
internal class SlidingLogModel(
    permits: Long,
    periodNanos: BigInteger,
) : LevelModel(permits, periodNanos) {
    private class Entry(
        val instant: BigInteger,
        val permits: BigInteger,
    )

    /** Oldest first, none of them expired at [newest]: those never count again, since time is never before it. */
    private val entries = ArrayDeque<Entry>()
    private var total = BigInteger.ZERO

    /** The instant of the newest entry that was ever added; null before the first use. */
    private var newest: BigInteger? = null

    private fun timeAt(now: Long): BigInteger = newest?.max(now.toBigInteger()) ?: now.toBigInteger()

    private fun counts(
        entry: Entry,
        time: BigInteger,
    ): Boolean = time - entry.instant < period

    override fun level(now: Long): Fraction {
        val time = timeAt(now)
        val expired = entries.asSequence().takeWhile { !counts(it, time) }.sumOf { it.permits }
        return Fraction.of(total - expired)
    }

    override fun add(
        now: Long,
        permits: BigInteger,
    ) {
        val time = timeAt(now)
        while (entries.isNotEmpty() && !counts(entries.first(), time)) total -= entries.removeFirst().permits
        entries.addLast(Entry(time, permits))
        total += permits
        newest = time
    }

    /** From the oldest entries first, of those that count at [now]. */
    override fun remove(
        now: Long,
        permits: BigInteger,
    ) {
        val time = timeAt(now)
        while (entries.isNotEmpty() && !counts(entries.first(), time)) total -= entries.removeFirst().permits
        var left = permits
        while (left.signum() > 0 && entries.isNotEmpty()) {
            val entry = entries.removeFirst()
            val removed = left.min(entry.permits)
            if (removed < entry.permits) entries.addFirst(Entry(entry.instant, entry.permits - removed))
            total -= removed
            left -= removed
        }
    }

    /** The instant at which so many of the oldest entries have expired that the rest is at most [room]. */
    override fun firstAtMost(
        now: Long,
        room: BigInteger,
    ): BigInteger {
        var rest = total
        val last =
            entries.first { entry ->
                rest -= entry.permits
                rest <= room
            }
        return last.instant + period
    }

    override fun firstEmpty(now: Long): BigInteger = entries.last().instant + period
}

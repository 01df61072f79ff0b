package dev.ratelimit.jvm.shared

import dev.ratelimit.jvm.algorithm.Meter
import dev.ratelimit.jvm.algorithm.SlidingLog
import dev.ratelimit.jvm.algorithm.WordMeter

/** Between a bucket's state, as its meter knows it, and the word that stands for it in a slot. */
internal class States(
    private val words: Words,
    private val arena: Arena,
    private val meters: (StoredLimit) -> Meter?,
) {
    /** The word of [state], which takes the place of [before]. */
    fun wordOf(
        meter: Meter,
        state: LongArray,
        before: Long,
    ): Long = if (meter is WordMeter) State.encoded(state[0]) else arena.write(kept(meter, state), before)

    /** What is kept of [state]: all, but of a log no more than can be copied in some microseconds. */
    private fun kept(
        meter: Meter,
        state: LongArray,
    ) = if (meter is SlidingLog) meter.coarsened(state, MOST_ENTRIES) else state

    /** The state that [word] stands for; null if it is none any more, or damaged. */
    fun stateOf(
        meter: Meter,
        word: Long,
        now: Long,
    ): LongArray? {
        val state = if (meter is WordMeter) longArrayOf(State.decoded(word)) else arena.read(word)
        return state?.takeIf { meter.isSound(it, now) }
    }

    /** The [word] is not in the file any more, or never was; what it stands for goes. */
    fun discard(
        meter: Meter?,
        word: Long,
    ) {
        if (meter != null && meter !is WordMeter) arena.free(word)
    }

    fun meterOf(limit: StoredLimit): Meter? = meters(limit)

    /** How long until the slot's bucket equals a fresh one; 0 also for one that is damaged, and the longest for one that is marked. */
    fun untilFull(
        place: Place,
        word: Long,
        now: Long,
    ): Long =
        if (State.isMark(word)) Long.MAX_VALUE else untilFull(meterOf(place.limit), word, now)

    private fun untilFull(
        meter: Meter?,
        word: Long,
        now: Long,
    ): Long {
        if (meter == null) return 0
        val state = stateOf(meter, word, now) ?: return 0
        return runCatching { meter.resetAfter(state, now) }.getOrDefault(0)
    }

    /** Makes the slot free, if its state is still [word]. */
    fun drop(
        place: Place,
        word: Long,
    ): Boolean = words.swap(place.at + Layout.STATE, word, State.FREE).also { if (it) discard(meterOf(place.limit), word) }

    private companion object {
        const val MOST_ENTRIES = 16_384
    }
}

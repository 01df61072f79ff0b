package dev.ratelimit.jvm.shared

import dev.ratelimit.jvm.algorithm.Meter
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
    ): Long = if (meter is WordMeter) State.encoded(state[0]) else arena.write(state, before)

    /** The state that [word] stands for; null if it is none any more, or damaged. */
    fun stateOf(
        meter: Meter,
        word: Long,
    ): LongArray? = if (meter is WordMeter) longArrayOf(State.decoded(word)) else arena.read(word)

    /** The word is not in the file any more, and so the block goes in which its state of [length] words was; null if that is not known. */
    fun discard(
        meter: Meter?,
        word: Long,
        length: Int?,
    ) {
        if (meter !is WordMeter && length != null) arena.free(word, length)
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
        val state = stateOf(meter, word) ?: return 0
        return runCatching { meter.resetAfter(state, now) }.getOrDefault(0)
    }

    /** Makes the slot free, if its state is still [word]. */
    fun drop(
        place: Place,
        word: Long,
    ): Boolean {
        val meter = meterOf(place.limit)
        val state = if (meter is WordMeter) null else arena.read(word)
        return words.swap(place.at + Layout.STATE, word, State.FREE).also { if (it) discard(meter, word, state?.size) }
    }
}

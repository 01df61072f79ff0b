package dev.ratelimit.ktor.server.monitoring

import org.apache.datasketches.frequencies.ErrorType
import org.apache.datasketches.frequencies.ItemsSketch
import java.util.TreeMap
import kotlin.random.Random

/**
 * What comes most, of the minute that it is, of minutes before and of hours before. The counts are never too high, and too low by at most
 * 0.35 % of all that came in that minute or hour; what came less often than that may be left out. A minute or hour that is over is no more
 * than its top, so what is kept is at most 768 texts for the minute, as many for the hour, and [OF_MINUTE] or [OF_HOUR] for each before.
 * Not thread-safe.
 */
internal class TopList {
    private var minute = sketch()
    private var hour = sketch()
    private val minutes = TreeMap<Long, Map<String, Long>>()
    private val hours = TreeMap<Long, Map<String, Long>>()

    fun add(text: Hashed) = minute.update(text)

    /** The minute of this number is over; its top. */
    fun closeMinute(number: Long): Map<String, Long> {
        val top = open()
        if (top.isNotEmpty()) minutes.merge(number, top, ::sum)
        hour.merge(minute)
        minute = sketch()
        return top
    }

    /** The hour of this number is over, and so is its last minute; its top. */
    fun closeHour(number: Long): Map<String, Long> {
        val top = top(hour, OF_HOUR)
        if (top.isNotEmpty()) hours.merge(number, top, ::sum)
        hour = sketch()
        return top
    }

    fun forget(
        minutesBefore: Long,
        hoursBefore: Long,
    ) {
        minutes.headMap(minutesBefore).clear()
        hours.headMap(hoursBefore).clear()
    }

    /** The top of the minute that it is. */
    fun open(): Map<String, Long> = top(minute, OF_MINUTE)

    /** The tops of what is over. */
    fun closed(
        ofMinutes: LongRange,
        ofHours: LongRange,
    ): List<Map<String, Long>> = minutes.within(ofMinutes) + hours.within(ofHours)

    /** A text with a hash that nobody outside can foresee, so that nobody can send texts of one hash and make the table slow. */
    class Hashed(
        val text: String,
    ) {
        private val hash: Int

        init {
            var hash = SEED
            // Each character is spread over all bits, so that no other that follows can make up for it.
            for (char in text) {
                hash = (hash xor char.code.toLong()) * FACTOR
                hash = hash xor (hash ushr SHIFT)
            }
            this.hash = hash.toInt()
        }

        override fun hashCode(): Int = hash

        override fun equals(other: Any?): Boolean = other is Hashed && other.hash == hash && other.text == text
    }

    private companion object {
        const val OF_MINUTE = 50
        const val OF_HOUR = 100
        const val MAP_SIZE = 1_024

        const val FACTOR = -0x61c8864680b583ebL
        const val SHIFT = 32
        val SEED = Random.nextLong()

        fun sketch() = ItemsSketch<Hashed>(MAP_SIZE)

        /** Under a flood of texts that come once, whatever is not above the error is one of them. */
        fun top(
            sketch: ItemsSketch<Hashed>,
            most: Int,
        ): Map<String, Long> =
            sketch
                .getFrequentItems(sketch.maximumError + 1, ErrorType.NO_FALSE_POSITIVES)
                .take(most)
                .associate { it.item.text to it.lowerBound }

        fun sum(
            one: Map<String, Long>,
            other: Map<String, Long>,
        ): Map<String, Long> = HashMap(one).also { sum -> other.forEach { (text, times) -> sum.merge(text, times, Long::plus) } }

        fun TreeMap<Long, Map<String, Long>>.within(range: LongRange): Collection<Map<String, Long>> =
            if (range.isEmpty()) emptyList() else subMap(range.first, true, range.last, true).values
    }
}

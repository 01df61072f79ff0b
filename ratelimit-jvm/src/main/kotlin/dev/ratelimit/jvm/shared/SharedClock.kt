package dev.ratelimit.jvm.shared

import dev.ratelimit.NanoClock
import java.time.Instant

/**
 * One time for all processes of a machine: [System.nanoTime], which counts from the start of the machine and which nobody can set, and a
 * shift that is the same for all because it stands in the file. The wall clock is read once, when the file is made, so steps of it change
 * nothing.
 *
 * When the machine has started anew, or was asleep, which that count does not notice, the shift is moved on; never back. Meanwhile, and
 * where it cannot be told how long that was, less time has passed than in truth, and so no permit too many: all is right again once the
 * buckets have refilled.
 *
 * The shift carries a checksum, and the time that was seen last stands there twice: a damaged word does not move time. Whoever finds
 * one writes down what it knows itself.
 */
internal class SharedClock(
    private val words: Words,
    private val system: () -> Long = System::nanoTime,
    private val wall: () -> Long = ::wallNanos,
    private val boot: Long = Machine.boot,
    private val up: () -> Long? = Machine::upNanos,
) : NanoClock {
    @Volatile
    private var shift = adopted()
    private var slept = sleptNow()

    override fun nanoTime(): Long = at(system())

    /** The time when the machine's count was [count]. */
    fun at(count: Long): Long = count + shift

    /** The shift in the file, which is set first if it is none of this start of the machine. */
    private fun adopted(): Long {
        while (true) {
            val word = words.get(Layout.SHIFT)
            val found = Sealed.opened(word)
            val seen = words.seen()
            if (found != null && words.get(Layout.BOOT) == boot && seen != 0L && system() + found >= seen - TOLERANCE) return found
            val sealed = Sealed.of(maxOf(wall(), seen) - system())
            if (words.swap(Layout.SHIFT, word, sealed)) {
                val shift = Sealed.shiftOf(sealed)
                words.noteSeen(system() + shift)
                words.set(Layout.BOOT, boot)
                return shift
            }
        }
    }

    /** Now and then: notes the time, and makes up for a sleep. */
    fun tick() {
        val known = shift
        val before = slept
        val now = sleptNow()
        if (now != null) slept = now
        // All processes notice the same sleep; the first makes up for it.
        val asleep = if (now == null || before == null) 0 else now - before
        val word = words.get(Layout.SHIFT)
        val found = Sealed.opened(word)
        if (found == null || (asleep > LEAST_SLEEP && found == known)) {
            words.swap(Layout.SHIFT, word, Sealed.of(known + if (asleep > LEAST_SLEEP) asleep else 0))
        }
        words.set(Layout.BOOT, boot)
        shift = Sealed.opened(words.get(Layout.SHIFT)) ?: known
        words.noteSeen(nanoTime())
    }

    /** For how long the machine has been asleep since it was started; null if it does not tell, or if this thread was kept from asking. */
    private fun sleptNow(): Long? {
        repeat(ATTEMPTS) {
            val before = system()
            val up = up() ?: return null
            val after = system()
            // Whoever is stopped between the two readings would take that for a sleep.
            if (after - before < MOMENT) return up - after
        }
        return null
    }

    companion object {
        private const val NANOS_PER_SECOND = 1_000_000_000L
        private const val TOLERANCE = NANOS_PER_SECOND
        private const val LEAST_SLEEP = NANOS_PER_SECOND
        private const val MOMENT = NANOS_PER_SECOND / 10
        private const val ATTEMPTS = 3

        fun wallNanos(): Long = Instant.now().let { it.epochSecond * NANOS_PER_SECOND + it.nano }
    }
}

/** A shift as a word that tells whether it was damaged: exact to 66 microseconds, with a checksum in the lowest 16 bits. */
internal object Sealed {
    private const val BITS = 16
    private const val MASK = (1L shl BITS) - 1

    /** An odd number with its bits well mixed (2⁶⁴ divided by the golden ratio). */
    private const val MIX = -0x61c8864680b583ebL

    fun of(shift: Long): Long = (shift and MASK.inv()) or checksum(shift)

    fun shiftOf(word: Long): Long = word and MASK.inv()

    /** The shift, or null if the word was not made by [of]. */
    fun opened(word: Long): Long? = if (word == of(word)) shiftOf(word) else null

    private fun checksum(word: Long): Long = (((word ushr BITS) + 1) * MIX) ushr (Long.SIZE_BITS - BITS)
}

/** The latest time that any process has noted. */
private fun Words.seen(): Long = minOf(get(Layout.SEEN), get(Layout.SEEN_AGAIN))

private fun Words.noteSeen(time: Long) {
    raise(Layout.SEEN, time)
    raise(Layout.SEEN_AGAIN, time)
}

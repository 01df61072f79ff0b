package dev.ratelimit.jvm.shared

import dev.ratelimit.NanoClock
import java.time.Instant

/**
 * One time for all processes of a machine: [System.nanoTime], which counts from the start of the machine and which nobody can set, and a shift
 * that is the same for all because it stands in the file. The wall clock is read once, when the file is made, so steps of it
 * change nothing.
 *
 * When the machine has started anew, or was asleep, which that count does not notice, the shift is moved on; never back. Meanwhile, and where
 * it cannot be told how long that was, less time has passed than in truth, and so no permit too many: all is right again
 * once the buckets have refilled.
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

    override fun nanoTime(): Long = system() + shift

    /** The shift in the file, which is set first if it is none of this start of the machine. */
    private fun adopted(): Long {
        while (true) {
            val found = words.get(Layout.SHIFT)
            val seen = words.get(Layout.SEEN)
            val isOfThisBoot = words.get(Layout.BOOT) == boot && seen != 0L && system() + found >= seen - TOLERANCE
            if (isOfThisBoot) return found
            val shift = maxOf(wall(), seen) - system()
            if (words.swap(Layout.SHIFT, found, shift)) {
                words.raise(Layout.SEEN, system() + shift)
                words.set(Layout.BOOT, boot)
                return shift
            }
        }
    }

    /** Now and then: notes the time, and makes up for a sleep. */
    fun tick() {
        val known = shift
        val before = slept
        val after = sleptNow()
        // All processes notice the same sleep; the first makes up for it.
        val asleep = if (before == null || after == null) 0 else after - before
        if (asleep > LEAST_SLEEP) words.swap(Layout.SHIFT, known, known + asleep)
        shift = words.get(Layout.SHIFT)
        // After the shift: a sleep that comes between the two is taken for one that is in it, not made up for twice.
        slept = sleptNow() ?: before
        words.raise(Layout.SEEN, nanoTime())
    }

    /** How much more the machine has been on than awake. Null if this process was held up between the two looks, which is no sleep. */
    private fun sleptNow(): Long? {
        val start = system()
        val up = up() ?: return null
        val end = system()
        return if (end - start < LEAST_SLEEP / 2) up - end else null
    }

    companion object {
        private const val NANOS_PER_SECOND = 1_000_000_000L
        private const val TOLERANCE = NANOS_PER_SECOND
        private const val LEAST_SLEEP = NANOS_PER_SECOND

        fun wallNanos(): Long = Instant.now().let { it.epochSecond * NANOS_PER_SECOND + it.nano }
    }
}

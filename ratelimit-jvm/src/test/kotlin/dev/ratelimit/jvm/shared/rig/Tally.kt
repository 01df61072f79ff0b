package dev.ratelimit.jvm.shared.rig

import java.nio.ByteOrder
import java.nio.LongBuffer
import java.nio.channels.FileChannel
import java.nio.file.Path
import java.nio.file.StandardOpenOption.CREATE
import java.nio.file.StandardOpenOption.READ
import java.nio.file.StandardOpenOption.WRITE

/**
 * A call that took long.
 *
 * @property own how long, in nanoseconds, without the time in which the thread was kept from running
 * @property at when it was answered, by the clock of [System.nanoTime], which is the machine's
 */
internal class Stall(
    val own: Long,
    val at: Long,
    val kind: Kind,
)

/**
 * What a child reports: numbers in a mapped file of its own. A number is there once it is written, whatever becomes of the child; so a
 * child that is killed has reported all but the call that it was in.
 */
internal class Tally(
    file: Path,
) {
    private val numbers: LongBuffer =
        FileChannel.open(file, CREATE, READ, WRITE).use {
            it.map(FileChannel.MapMode.READ_WRITE, 0, BYTES).order(ByteOrder.nativeOrder()).asLongBuffer()
        }

    operator fun get(number: Int): Long = numbers.get(number)

    operator fun set(
        number: Int,
        value: Long,
    ) {
        numbers.put(number, value)
    }

    fun add(
        number: Int,
        value: Long,
    ) {
        numbers.put(number, numbers.get(number) + value)
    }

    fun raise(
        number: Int,
        value: Long,
    ) {
        if (numbers.get(number) < value) numbers.put(number, value)
    }

    fun add(stall: Stall) {
        val place = FIRST_STALL + 3 * this[STALLS].toInt()
        add(STALLS, 1)
        if (this[STALLS] > MOST_STALLS) return
        this[place] = stall.own
        this[place + 1] = stall.at
        this[place + 2] = stall.kind.ordinal.toLong()
    }

    /** Fails if there were more than are kept. */
    fun stalls(): List<Stall> {
        check(this[STALLS] <= MOST_STALLS) { "${this[STALLS]} calls were long" }
        return List(this[STALLS].toInt()) {
            val place = FIRST_STALL + 3 * it
            Stall(this[place], this[place + 1], Kind.values()[this[place + 2].toInt()])
        }
    }

    companion object {
        private const val BYTES = 4096L

        /** The calls that were answered; before it, the permits that were granted, one number for each [Kind]. */
        const val ANSWERS = 16

        /** Calls that threw. */
        const val FAILURES = 17

        /** The longest call in nanoseconds: in all, and without the time in which the thread was kept from running. */
        const val LONGEST = 18
        const val LONGEST_OWN = 19

        /** What the second of them was a call on. */
        const val LONGEST_KIND = 22

        /** How many calls were long, and the first of them, each as three numbers: see [Stall]. */
        const val STALLS = 23
        const val FIRST_STALL = 64
        const val MOST_STALLS = 128

        /** The longest pause that has nothing to do with the file, also without the time in which the thread was kept from running. */
        const val LONGEST_PAUSE = 20

        /** Waiters that were served before one who had come earlier. */
        const val OVERTAKEN = 21
    }
}

package dev.ratelimit.jvm.store

import dev.ratelimit.NanoClock
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration

/** A clock that stands still until it is moved. */
internal class ManualClock(
    start: Long = 0,
) : NanoClock {
    private val now = AtomicLong(start)

    override fun nanoTime(): Long = now.get()

    fun advance(time: Duration) {
        now.addAndGet(time.inWholeNanoseconds)
    }

    /** Forward or back. */
    fun set(reading: Long) = now.set(reading)
}

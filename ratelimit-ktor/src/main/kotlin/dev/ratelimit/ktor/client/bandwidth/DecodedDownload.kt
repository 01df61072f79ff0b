package dev.ratelimit.ktor.client.bandwidth

import io.ktor.utils.io.ByteReadChannel
import java.util.concurrent.atomic.AtomicLong

/**
 * One response whose body is charged by the bytes it has when it is decoded. How many those are shows only behind the decoder, and what is
 * behind it may start when the whole body is in memory. So the bytes are charged twice: as they arrive, which holds up the sender; and what
 * they have become more, when they are decoded. Where they have become less, the difference is given back at the end.
 */
internal class DecodedDownload(
    private val newToll: () -> LimiterToll,
) {
    /** The bytes that are paid for. */
    private val charged = AtomicLong()

    @Volatile
    private var arriving: ByteReadChannel? = null

    /** The body as it arrives. */
    fun arriving(channel: ByteReadChannel): TolledReadChannel = TolledReadChannel(channel, Arriving()).also { arriving = it }

    /** The body as it comes out of the decoder; who cancels it is not to wait for a decoder that waits for permits. */
    fun decoded(channel: ByteReadChannel): TolledReadChannel = TolledReadChannel(channel, Decoded()) { arriving?.cancel(it) }

    private inner class Arriving(
        private val toll: LimiterToll = newToll(),
    ) : Toll {
        private var last = 0L

        override val chunk: Long get() = toll.chunk

        override suspend fun pay(bytes: Long) {
            toll.pay(bytes)
            last = bytes
            charged.addAndGet(bytes)
        }

        override fun undo() {
            charged.addAndGet(-last)
            toll.undo()
        }

        override fun end(cause: Throwable?) = toll.end(cause)
    }

    private inner class Decoded(
        private val toll: LimiterToll = newToll(),
    ) : Toll {
        private var seen = 0L
        private var last = 0L
        private var lastPaid = 0L

        override val chunk: Long get() = toll.chunk

        override suspend fun pay(bytes: Long) {
            val due = (seen + bytes - charged.get()).coerceAtLeast(0)
            if (due > 0) toll.pay(due)
            charged.addAndGet(due)
            lastPaid = due
            last = bytes
            seen += bytes
        }

        override fun undo() {
            seen -= last
            charged.addAndGet(-lastPaid)
            if (lastPaid > 0) toll.undo()
        }

        override fun settle() {
            val excess = charged.get() - seen
            if (excess > 0 && charged.compareAndSet(seen + excess, seen)) toll.refund(excess)
        }

        override fun end(cause: Throwable?) = toll.end(cause)
    }
}

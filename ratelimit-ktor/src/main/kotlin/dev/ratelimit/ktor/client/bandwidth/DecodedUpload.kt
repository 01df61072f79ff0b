package dev.ratelimit.ktor.client.bandwidth

import java.util.concurrent.atomic.AtomicLong

/**
 * The bytes of one request's body before an encoder takes them. They are counted where they are produced and charged where they leave, for
 * only there it is known which host they go to, and a body that is sent again is charged again.
 */
internal class DecodedUpload {
    private val produced = AtomicLong()

    /** Counts, and lets everything pass. */
    fun counting(): Toll = Counting()

    /** Charges with each chunk that leaves whatever was produced for it. */
    fun leaving(toll: LimiterToll): Toll = Leaving(toll)

    private inner class Counting : Toll {
        private var last = 0L

        override val chunk: Long get() = Long.MAX_VALUE

        override suspend fun pay(bytes: Long) {
            last = bytes
            produced.addAndGet(bytes)
        }

        override fun undo() {
            produced.addAndGet(-last)
        }

        override fun end(cause: Throwable?) = Unit
    }

    private inner class Leaving(
        private val toll: LimiterToll,
    ) : Toll {
        private val before = produced.get()
        private var charged = 0L
        private var last = 0L

        override val chunk: Long get() = toll.chunk

        override suspend fun pay(bytes: Long) {
            val ready = produced.get() - before
            // An encoder's header comes before anything is produced for it; and a plugin may have put another body in the place of this.
            val due = if (ready == 0L) bytes else (ready - charged).coerceAtLeast(0)
            if (due > 0) toll.pay(due)
            charged += due
            last = due
        }

        override fun undo() {
            charged -= last
            if (last > 0) toll.undo()
        }

        override fun end(cause: Throwable?) = toll.end(cause)
    }
}

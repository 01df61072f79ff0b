package dev.ratelimit.ktor.client.bandwidth

import io.ktor.utils.io.ByteWriteChannel
import io.ktor.utils.io.InternalAPI
import kotlinx.io.Buffer
import kotlinx.io.Sink

/** A way into [target] for bytes that pay [toll] first, a chunk at a time, whenever the writer flushes. */
@OptIn(InternalAPI::class)
internal class TolledWriteChannel(
    private val target: ByteWriteChannel,
    private val toll: Toll,
) : ByteWriteChannel {
    private val unpaid = Buffer()

    override val autoFlush: Boolean get() = target.autoFlush

    override val isClosedForWrite: Boolean get() = target.isClosedForWrite

    override val closedCause: Throwable? get() = target.closedCause

    /** The target's own throws when the target is closed, as it should here. */
    override val writeBuffer: Sink get() = if (isClosedForWrite) target.writeBuffer else unpaid

    override suspend fun flush() {
        while (!unpaid.exhausted()) {
            val bytes = minOf(unpaid.size, toll.chunk)
            toll.pay(bytes)
            var isHandedOn = false
            try {
                target.writeBuffer.write(unpaid, bytes)
                isHandedOn = true
            } finally {
                if (!isHandedOn) toll.undo()
            }
            target.flush()
        }
        target.flush()
    }

    /** A body that could not be paid for to its end must not look complete. */
    @Suppress("TooGenericExceptionCaught")
    override suspend fun flushAndClose() {
        try {
            flush()
        } catch (e: Throwable) {
            cancel(e)
            throw e
        }
        target.flushAndClose()
    }

    override fun cancel(cause: Throwable?) {
        target.cancel(cause)
        toll.end(cause)
    }
}

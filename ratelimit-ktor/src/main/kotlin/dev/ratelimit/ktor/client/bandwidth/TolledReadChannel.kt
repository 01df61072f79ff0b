package dev.ratelimit.ktor.client.bandwidth

import io.ktor.utils.io.ByteReadChannel
import io.ktor.utils.io.InternalAPI
import io.ktor.utils.io.core.remaining
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.io.Buffer
import kotlinx.io.Source

/**
 * [source], whose bytes are handed on once [toll] is paid. No coroutine of its own and nothing read ahead: whoever reads pays, a chunk at a
 * time, and what is not read yet stays where it is.
 */
@OptIn(InternalAPI::class)
internal class TolledReadChannel(
    private val source: ByteReadChannel,
    private val toll: Toll,
    private val whenCancelled: (Throwable?) -> Unit = {},
) : ByteReadChannel {
    private val paid = Buffer()

    override val closedCause: Throwable? get() = source.closedCause

    override val isClosedForRead: Boolean
        get() = source.closedCause != null || (paid.exhausted() && source.isClosedForRead)

    override val readBuffer: Source
        get() {
            closedCause?.let { throw it }
            return paid
        }

    override suspend fun awaitContent(min: Int): Boolean {
        closedCause?.let { throw it }
        while (paid.size < min && source.awaitContent()) buy(minOf(source.readBuffer.remaining, toll.chunk))
        settleAtEnd()
        return paid.size >= min
    }

    private suspend fun buy(bytes: Long) {
        try {
            toll.pay(bytes)
        } catch (e: CancellationException) {
            currentCoroutineContext().ensureActive()
            // Not the reader was cancelled, but the channel or its call: the reader sees what it sees of any other channel.
            if (e.cause !is CancellationException) closedCause?.let { throw it }
            throw e
        }
        var isHandedOn = false
        try {
            paid.write(source.readBuffer, bytes)
            isHandedOn = true
        } finally {
            if (!isHandedOn) toll.undo()
        }
        // A reader that has all it wants does not ask once more.
        settleAtEnd()
    }

    private fun settleAtEnd() {
        if (source.closedCause == null && source.isClosedForRead) toll.settle()
    }

    override fun cancel(cause: Throwable?) {
        source.cancel(cause)
        whenCancelled(cause)
        toll.end(cause)
    }
}

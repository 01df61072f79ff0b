package dev.ratelimit.jvm.shared

import dev.ratelimit.RateLimitStoreException
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.util.concurrent.atomic.AtomicReferenceArray

/**
 * The end of the file, which grows. It grows by appending zeros, which no other process can come in the way of, and which takes the room
 * on the disk at once: a mapping of room that is not there ends in a fault, not in an exception.
 *
 * @param appending a channel that only ever writes at the end
 */
internal class Chunks(
    private val channel: FileChannel,
    private val appending: FileChannel,
    private val start: Long,
) {
    private val mapped = AtomicReferenceArray<Words?>(MOST)

    fun at(cell: Long): Words = of(cell / Arena.CELLS_PER_CHUNK)

    fun has(chunk: Long): Boolean = chunk < MOST && (mapped.get(chunk.toInt()) != null || endOf(chunk) <= channel.size())

    private fun of(chunk: Long): Words = mapped.get(chunk.toInt()) ?: map(chunk.toInt())

    @Synchronized
    private fun map(chunk: Int): Words {
        mapped.get(chunk)?.let { return it }
        val from = start + chunk * Arena.CHUNK_BYTES
        // Mapping beyond its end would make the file longer, by a hole.
        if (channel.size() < from + Arena.CHUNK_BYTES) throw InternalError("the file ends before its chunk $chunk")
        return Words(channel.map(FileChannel.MapMode.READ_WRITE, from, Arena.CHUNK_BYTES)).also { mapped.set(chunk, it) }
    }

    /** Sees to it that [chunk] is there. Two who do so at once make the file longer than need be. */
    fun extendTo(chunk: Long) {
        if (chunk < MOST && mapped.get(chunk.toInt()) != null) return
        try {
            // Cells are carved in their order, so never more than the next chunk is missing.
            val isNext = chunk < MOST && channel.size() >= endOf(chunk - 1)
            if (!isNext) throw RateLimitStoreException("the shared file is at its largest, or damaged; delete it, and it begins anew", null)
            while (channel.size() < endOf(chunk)) {
                val missing = (endOf(chunk) - channel.size()).coerceIn(1, PORTION)
                appending.write(ByteBuffer.allocate(missing.toInt()))
            }
        } catch (e: IOException) {
            throw RateLimitStoreException("the shared file cannot grow: ${e.message}; make room on its file system", e)
        }
        of(chunk)
    }

    private fun endOf(chunk: Long) = start + (chunk + 1) * Arena.CHUNK_BYTES

    private companion object {
        const val MOST = 16_384
        const val PORTION = 65_536L
    }
}

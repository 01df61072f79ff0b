package dev.ratelimit.jvm.shared

import dev.ratelimit.RateLimitStoreException
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.channels.ClosedChannelException
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

    fun has(chunk: Long): Boolean = chunk < MOST && (mapped.get(chunk.toInt()) != null || filed { endOf(chunk) <= channel.size() })

    /** The end of the last chunk that is mapped: the file has to be as long. */
    @Volatile
    var end: Long = start
        private set

    /** The first chunk that was not there at the last look; of the one thread that looks. */
    private var followed = 0L

    /** The chunk that ends there. */
    @Volatile
    private var last: Words? = null

    /** Whether the file goes as far as all that is mapped. */
    fun isThere(): Boolean = last?.isThere((Arena.CHUNK_BYTES - Layout.WORD).toInt()) ?: true

    private fun of(chunk: Long): Words = mapped.get(chunk.toInt()) ?: map(chunk.toInt())

    private fun map(chunk: Int): Words =
        filed {
            mapped.get(chunk) ?: run {
                val from = start + chunk * Arena.CHUNK_BYTES
                // Mapping beyond its end would make the file longer, by a hole.
                if (channel.size() < from + Arena.CHUNK_BYTES) throw InternalError("the file ends before its chunk $chunk")
                val words = Words(channel.map(FileChannel.MapMode.READ_WRITE, from, Arena.CHUNK_BYTES))
                mapped.set(chunk, words)
                if (endOf(chunk.toLong()) > end) last = words
                end = maxOf(end, endOf(chunk.toLong()))
                words
            }
        }

    /** What is done with the file, one at a time. */
    private fun <T> filed(work: () -> T): T =
        try {
            Undisturbed.run(work)
        } catch (e: ClosedChannelException) {
            throw RateLimitStoreException("the shared file was closed or replaced during the call; ask again, or open it again", e)
        } catch (e: IOException) {
            throw RateLimitStoreException("the shared file cannot be used: ${e.message}", e)
        }

    /** Sees to it that [chunk] is there. Two who do so at once make the file longer than need be. */
    fun extendTo(chunk: Long) {
        if (chunk < MOST && mapped.get(chunk.toInt()) != null) return
        filed { append(chunk) }
        of(chunk)
    }

    /** As [extendTo], in good time: who needs the chunk does not wait for the file then, which other threads work with. */
    fun prepare(chunk: Long) =
        Undisturbed.later {
            append(chunk)
            of(chunk)
        }

    /** Maps what other processes have added, from [chunk] on, before somebody needs it. */
    fun follow(chunk: Long) {
        var next = maxOf(followed, chunk)
        while (has(next)) of(next++)
        followed = next
    }

    private fun append(chunk: Long) {
        // Cells are carved in their order, so never more than the next chunk is missing.
        if (chunk >= MOST || channel.size() < endOf(chunk - 1)) throw damaged()
        try {
            while (channel.size() < endOf(chunk)) {
                val missing = (endOf(chunk) - channel.size()).coerceIn(1, PORTION)
                appending.write(ByteBuffer.allocate(missing.toInt()))
            }
        } catch (e: IOException) {
            throw if (e is ClosedChannelException) e else cannotGrow(e)
        }
    }

    private fun cannotGrow(e: IOException) =
        RateLimitStoreException("the shared file cannot grow: ${e.message}; make room on its file system", e)

    private fun endOf(chunk: Long) = start + (chunk + 1) * Arena.CHUNK_BYTES

    private companion object {
        const val MOST = 16_384
        const val PORTION = 65_536L
    }
}

internal fun damaged() = RateLimitStoreException("the shared file is damaged; delete it, and it begins anew", null)

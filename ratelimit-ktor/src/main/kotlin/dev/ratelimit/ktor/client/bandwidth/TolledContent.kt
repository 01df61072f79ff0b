package dev.ratelimit.ktor.client.bandwidth

import io.ktor.http.ContentType
import io.ktor.http.Headers
import io.ktor.http.HttpStatusCode
import io.ktor.http.content.OutgoingContent
import io.ktor.util.AttributeKey
import io.ktor.utils.io.ByteReadChannel
import io.ktor.utils.io.ByteWriteChannel
import io.ktor.utils.io.writeFully
import kotlinx.coroutines.Job

/**
 * This content with the same headers and length, whose bytes pay a toll as the engine takes them; each time that it takes them, a new one.
 * Content without bytes, and a protocol upgrade, are returned as they are.
 *
 * @param call when it is cancelled, whoever is paying stops
 */
internal fun OutgoingContent.through(
    call: Job,
    newToll: () -> Toll,
): OutgoingContent =
    when (this) {
        is OutgoingContent.NoContent, is OutgoingContent.ProtocolUpgrade -> {
            this
        }
        is OutgoingContent.ContentWrapper -> {
            val bare = delegate()
            val tolled = bare.through(call, newToll)
            if (tolled === bare) this else copy(tolled)
        }
        is OutgoingContent.ByteArrayContent -> {
            TolledBytes(this, call, newToll)
        }
        is OutgoingContent.ReadChannelContent -> {
            TolledReading(this, call, newToll)
        }
        is OutgoingContent.WriteChannelContent -> {
            TolledWriting(this, call, newToll)
        }
    }

private class TolledReading(
    private val content: OutgoingContent.ReadChannelContent,
    private val call: Job,
    private val newToll: () -> Toll,
) : OutgoingContent.ReadChannelContent() {
    override val contentType: ContentType? get() = content.contentType
    override val contentLength: Long? get() = content.contentLength
    override val status: HttpStatusCode? get() = content.status
    override val headers: Headers get() = content.headers

    override fun trailers(): Headers? = content.trailers()

    override fun <T : Any> getProperty(key: AttributeKey<T>): T? = content.getProperty(key)

    override fun <T : Any> setProperty(
        key: AttributeKey<T>,
        value: T?,
    ) = content.setProperty(key, value)

    override fun readFrom(): ByteReadChannel = tolled(content.readFrom())

    override fun readFrom(range: LongRange): ByteReadChannel = tolled(content.readFrom(range))

    private fun tolled(channel: ByteReadChannel) = TolledReadChannel(channel, newToll()).also { it.endWith(call) }
}

/** Content that is written: that of the engine's channel goes through one that takes the toll. */
private abstract class TolledWritten<C : OutgoingContent>(
    protected val content: C,
    private val call: Job,
    private val newToll: () -> Toll,
) : OutgoingContent.WriteChannelContent() {
    final override val contentType: ContentType? get() = content.contentType
    override val contentLength: Long? get() = content.contentLength
    final override val status: HttpStatusCode? get() = content.status
    final override val headers: Headers get() = content.headers

    final override fun trailers(): Headers? = content.trailers()

    final override fun <T : Any> getProperty(key: AttributeKey<T>): T? = content.getProperty(key)

    final override fun <T : Any> setProperty(
        key: AttributeKey<T>,
        value: T?,
    ) = content.setProperty(key, value)

    final override suspend fun writeTo(channel: ByteWriteChannel) {
        val toll = newToll()
        toll.endWith(call)
        val tolled = TolledWriteChannel(channel, toll)
        write(tolled)
        // Who closed the channel has flushed it.
        if (!tolled.isClosedForWrite) tolled.flush()
    }

    protected abstract suspend fun write(channel: ByteWriteChannel)
}

private class TolledWriting(
    content: OutgoingContent.WriteChannelContent,
    call: Job,
    newToll: () -> Toll,
) : TolledWritten<OutgoingContent.WriteChannelContent>(content, call, newToll) {
    override suspend fun write(channel: ByteWriteChannel) = content.writeTo(channel)
}

/** Written piece by piece, because a channel that reads an array would hold a copy of it. */
private class TolledBytes(
    content: OutgoingContent.ByteArrayContent,
    call: Job,
    newToll: () -> Toll,
) : TolledWritten<OutgoingContent.ByteArrayContent>(content, call, newToll) {
    /** Engines that send an array tell its length, whether or not its content does. */
    override val contentLength: Long? get() = content.contentLength ?: content.bytes().size.toLong()

    override suspend fun write(channel: ByteWriteChannel) {
        val bytes = content.bytes()
        for (start in bytes.indices step PIECE) {
            channel.writeFully(bytes, start, minOf(start + PIECE, bytes.size))
            channel.flush()
        }
    }
}

private const val PIECE = 64 * 1024

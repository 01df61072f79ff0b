package dev.ratelimit.ktor.client

import dev.ratelimit.RateLimit
import io.ktor.client.statement.HttpResponse
import io.ktor.client.statement.bodyAsChannel
import io.ktor.http.content.OutgoingContent
import io.ktor.utils.io.ByteReadChannel
import io.ktor.utils.io.readAvailable
import io.ktor.utils.io.writer
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.currentTime
import java.io.ByteArrayOutputStream
import java.time.Duration
import java.util.zip.GZIPOutputStream
import kotlin.random.Random

/** A limit whose chunks are a quarter of [burst]. */
internal fun bytes(
    perSecond: Long,
    burst: Long,
): RateLimit = RateLimit.tokenBucket(perSecond, Duration.ofSeconds(1)).withBurst(burst)

/** The same bytes each time, with no pattern. */
internal fun randomBytes(size: Int): ByteArray = Random(size).nextBytes(size)

internal fun gzipped(bytes: ByteArray): ByteArray =
    ByteArrayOutputStream().also { out -> GZIPOutputStream(out).use { it.write(bytes) } }.toByteArray()

/** What came, and how many bytes of it were there at which virtual millisecond. */
internal class Arrivals {
    private val bytes = ByteArrayOutputStream()
    val content: ByteArray get() = bytes.toByteArray()
    val soFar = LinkedHashMap<Long, Int>()

    suspend fun read(
        channel: ByteReadChannel,
        scope: TestScope,
    ): Arrivals {
        val piece = ByteArray(4096)
        while (true) {
            val count = channel.readAvailable(piece)
            if (count < 0) break
            bytes.write(piece, 0, count)
            if (count > 0) soFar[scope.currentTime] = bytes.size()
        }
        channel.closedCause?.let { throw it }
        return this
    }
}

internal suspend fun HttpResponse.arrivals(scope: TestScope): Arrivals = Arrivals().read(bodyAsChannel(), scope)

/** Takes a body as an engine does. */
internal suspend fun OutgoingContent.departures(scope: TestScope): Arrivals =
    when (this) {
        is OutgoingContent.ContentWrapper -> delegate().departures(scope)
        is OutgoingContent.ByteArrayContent -> Arrivals().read(ByteReadChannel(bytes()), scope)
        is OutgoingContent.ReadChannelContent -> Arrivals().read(readFrom(), scope)
        is OutgoingContent.WriteChannelContent -> coroutineScope { Arrivals().read(writer { writeTo(channel) }.channel, scope) }
        is OutgoingContent.NoContent, is OutgoingContent.ProtocolUpgrade -> Arrivals()
    }

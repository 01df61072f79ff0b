package dev.ratelimit.ktor.client.download

import io.ktor.http.Url
import java.nio.file.Files
import java.nio.file.NoSuchFileException
import java.nio.file.Path
import java.security.MessageDigest

/**
 * What must be known of a part to continue it: of which URL it is (as a hash, for URLs have secrets), how If-Range is to begin, and how
 * long the whole file is, or -1. A few lines of text beside the part. What is not exactly so, because it was cut short, say, is no note.
 */
internal class Note(
    val source: String,
    val validator: String,
    val size: Long,
) {
    fun text(): String = "$HEAD\n$source\n$validator\n$size\n$TAIL\n"

    companion object {
        private const val HEAD = "ratelimit part 1"
        private const val TAIL = "end"
        private const val LINES = 6
        private const val MOST_BYTES = 16_384L

        fun sourceOf(url: Url): String = hex(MessageDigest.getInstance("SHA-256").digest("$url".toByteArray()))

        /** Null if there is none. */
        fun read(file: Path): Note? =
            try {
                if (Files.size(file) > MOST_BYTES) null else parse(String(Files.readAllBytes(file), Charsets.UTF_8))
            } catch (ignored: NoSuchFileException) {
                null
            }

        fun parse(text: String): Note? {
            val lines = text.split("\n")
            val size = lines.getOrNull(3)?.toLongOrNull() ?: return null
            val isWhole = lines.size == LINES && lines[0] == HEAD && lines[4] == TAIL && lines[5].isEmpty()
            return if (isWhole && lines[2].isNotEmpty()) Note(lines[1], lines[2], size) else null
        }
    }
}

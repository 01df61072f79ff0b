package dev.ratelimit.samples

import io.ktor.http.Url
import io.ktor.http.decodeURLPart
import io.ktor.http.parseUrl
import java.nio.file.InvalidPathException
import java.nio.file.Path
import kotlin.io.path.exists

/**
 * Picks names in [dir], none of them twice: report.pdf, report.1.pdf, report.2.pdf. Only free ones, unless [isResumed]: then the same as
 * the time before, for the same URLs in the same order, if the folder was empty then.
 */
internal class FileNames(
    private val dir: Path,
    private val isResumed: Boolean = false,
) {
    private val taken = HashSet<String>()

    fun pick(url: String): Path {
        val name = nameOf(url)
        val dot = name.lastIndexOf('.').takeIf { it > 0 } ?: name.length
        return generateSequence(0) { it + 1 }
            .map { if (it == 0) name else name.substring(0, dot) + "." + it + name.substring(dot) }
            .first { (isResumed || !dir.resolve(it).exists()) && taken.add(it.lowercase()) }
            .let(dir::resolve)
    }

    private fun nameOf(url: String): String =
        Url(url)
            .rawSegments
            .lastOrNull()
            .orEmpty()
            .decodeURLPart()
            .substringAfterLast('/')
            .map { if (it.isISOControl() || it in "\\:*?\"<>|") '_' else it }
            .joinToString("")
            .trimStart('.')
            .shortened()
            .ifBlank { "index.html" }
            .let { if (isPossible(it)) it else it.replace(Regex("[^ -~]"), "_") }

    /** Cut where a character ends. */
    private fun String.shortened(): String {
        val end = minOf(length, MAX_LENGTH)
        return if (end < length && this[end - 1].isHighSurrogate()) take(end - 1) else take(end)
    }

    /** Whether the file system, with the encoding of this process, can have such a name. */
    private fun isPossible(name: String): Boolean =
        try {
            dir.resolve(name)
            true
        } catch (ignored: InvalidPathException) {
            false
        }

    private companion object {
        /** File systems take 255 bytes; a number and the mark of an unfinished file come on top. */
        const val MAX_LENGTH = 60
    }
}

internal fun isHttpUrl(text: String): Boolean =
    Regex("https?://[^/?#]+.*", RegexOption.IGNORE_CASE).matches(text) && parseUrl(text) != null

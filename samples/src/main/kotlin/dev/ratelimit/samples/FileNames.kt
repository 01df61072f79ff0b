package dev.ratelimit.samples

import java.net.URI
import java.nio.file.Path
import kotlin.io.path.exists

/** Picks names that are free in [dir], and picks none twice: report.pdf, report.1.pdf, report.2.pdf. */
internal class FileNames(
    private val dir: Path,
) {
    private val taken = HashSet<String>()

    fun pick(url: String): Path {
        val name = nameOf(url)
        val dot = name.lastIndexOf('.').takeIf { it > 0 } ?: name.length
        return generateSequence(0) { it + 1 }
            .map { if (it == 0) name else name.substring(0, dot) + "." + it + name.substring(dot) }
            .first { !dir.resolve(it).exists() && taken.add(it.lowercase()) }
            .let(dir::resolve)
    }

    private fun nameOf(url: String): String =
        URI(url)
            .path
            .orEmpty()
            .substringAfterLast('/')
            .map { if (it.isISOControl() || it in "\\:*?\"<>|") '_' else it }
            .joinToString("")
            .trimStart('.')
            .take(MAX_LENGTH)
            .ifBlank { "index.html" }

    private companion object {
        /** File systems take 255 bytes; a number and the mark of an unfinished file come on top. */
        const val MAX_LENGTH = 60
    }
}

package dev.ratelimit.ktor.server.matching

import io.ktor.http.URLDecodeException
import io.ktor.http.decodeURLPart

/**
 * What a rule is about, as it was written: `POST:/auth/…`, or any method of a path.
 *
 * @property method in upper case; null for any
 * @property isFloating whether anything may stand before [segments]
 * @property isOpen whether anything may follow them
 */
internal class PathPattern private constructor(
    val text: String,
    val method: String?,
    val segments: List<Segment>,
    val isFloating: Boolean,
    val isOpen: Boolean,
) {
    /** What can be matched at all: patterns of one shape are about the same calls. */
    val shape: Any get() = listOf(method, segments, isFloating, isOpen)

    fun lowercase() =
        PathPattern(text, method, segments.map { it.lowercase() }, isFloating, isOpen)

    override fun toString() = text

    companion object {
        private const val REST = "**"

        /** @throws IllegalArgumentException if the pattern cannot be meant, saying what to write */
        fun parse(text: String): PathPattern {
            val colon = text.indexOf(':')
            val hasMethod = colon >= 0 && text.indexOf('/').let { it < 0 || it > colon }
            val method = if (hasMethod) Methods.parse(text.substring(0, colon), text) else null
            val path = if (hasMethod) text.substring(colon + 1) else text
            require(path.startsWith("/") || path == "*" || path.startsWith("*/") || path.startsWith("$REST/")) {
                "pattern '$text' does not begin with a slash; write '/$path', or '*/$path' for a path anywhere"
            }
            val parts = path.split('/').filter { it.isNotEmpty() }
            val isOpen = parts.isNotEmpty() && parts.last().let { it == "*" || it == REST || (it.startsWith("{") && it.endsWith("...}")) }
            val closed = if (isOpen) parts.dropLast(1) else parts
            val isFloating = closed.firstOrNull() == REST || (path.startsWith("*/") && closed.isNotEmpty())
            val segments = (if (isFloating) closed.drop(1) else closed).map { segment(it, text) }
            require(!isFloating || segments.any { it is Segment.Constant }) {
                "pattern '$text' is about every path; write '/*', or name a part of the path: '*/api/*'"
            }
            return PathPattern(text, method, segments, isFloating, isOpen)
        }

        private fun segment(
            part: String,
            pattern: String,
        ): Segment {
            val open = part.indexOfFirst { it == '{' || it == '*' }
            if (open < 0) return Segment.Constant(constant(part, pattern))
            val close = if (part[open] == '*') open else part.indexOf('}', open)
            val prefix = part.substring(0, open)
            val suffix = if (close < 0) "" else part.substring(close + 1)
            val problem =
                when {
                    part == REST -> "'$REST' stands at the beginning or at the end; write '*' for one part of the path"
                    close < 0 -> "'{' has no '}'; write '{id}'"
                    part.substring(open, close).let { it.endsWith('?') || it.endsWith("...") } ->
                        "what may be missing stands at the end, as '*'; write one rule with '$part' and one without, or end with '*'"
                    suffix.any { it in "{}*" } || '}' in prefix -> "'$part' has two wildcards; write at most one between two slashes"
                    prefix == "." && suffix.isEmpty() -> "'$part' looks like a regular expression; write '{name}' for one part of the path"
                    else -> null
                }
            require(problem == null) { "pattern '$pattern': $problem" }
            if (prefix.isEmpty() && suffix.isEmpty()) return Segment.Any
            return Segment.Affix(constant(prefix, pattern), constant(suffix, pattern))
        }

        private fun constant(
            part: String,
            pattern: String,
        ): String {
            val odd = part.firstOrNull { it.isWhitespace() || it.isISOControl() || it in "^[]|\\?#}" }
            require(odd == null) {
                "pattern '$pattern' has '$odd', which stands in no path; patterns are not regular expressions: write '{name}' or '*' " +
                    "for one part of the path, and '*' at the end for all that follows"
            }
            return try {
                part.decodeURLPart()
            } catch (e: URLDecodeException) {
                throw IllegalArgumentException("pattern '$pattern': '$part' has a '%' that encodes nothing; write '%25' for a '%'", e)
            }
        }
    }
}

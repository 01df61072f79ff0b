package dev.ratelimit.ktor.server.matching

import io.ktor.http.URLDecodeException
import io.ktor.http.decodeURLPart
import io.ktor.server.util.normalizePathComponents

/**
 * The parts of a path as routing sees them: empty ones are skipped, each is decoded by itself, and a slash at its end makes no difference.
 * So every spelling that leads to a route is one path here.
 */
internal class PathSegments(
    rootPath: String,
    private val ignoreCase: Boolean,
) {
    private val root = parts(rootPath, ignoreCase)

    /**
     * All that a path can mean, without the application's root path: first what it means to routing. Routes by regular expression, and
     * those for files, join the decoded parts again and look anew: an encoded slash parts there, dots lead elsewhere, and resources are
     * found without what no file name may have.
     */
    fun readings(path: String): List<List<String>> {
        val parts = parts(path, ignoreCase)
        val plain = withoutRoot(parts)
        if (parts.normalizePathComponents() === parts) return listOf(plain)
        val split = parts.flatMap { it.split('/', '\\') }.filter { it.isNotEmpty() }
        return listOf(plain, withoutRoot(split), withoutRoot(resolved(split)), withoutRoot(split.normalizePathComponents())).distinct()
    }

    private fun resolved(parts: List<String>): List<String> {
        val resolved = ArrayList<String>(parts.size)
        for (part in parts) {
            when (part) {
                "." -> Unit
                ".." -> resolved.removeLastOrNull()
                else -> resolved += part
            }
        }
        return resolved
    }

    private fun withoutRoot(parts: List<String>) =
        if (root.isNotEmpty() && parts.size >= root.size && parts.subList(0, root.size) == root) parts.drop(root.size) else parts
}

/** Everything behind a prefix, as routing finds it. */
internal class PathPrefix(
    rootPath: String,
    prefix: String,
) {
    private val own: List<String> = parts(prefix)
    private val parts: List<String> = parts(rootPath) + own

    /** Whether all that a pattern is about is behind it. */
    fun covers(pattern: PathPattern): Boolean =
        !pattern.isFloating && pattern.segments.size >= own.size &&
            own.indices.all { (pattern.segments[it] as? Segment.Constant)?.text == own[it] }

    fun holds(path: String): Boolean {
        val parts = parts(path)
        return parts.size >= this.parts.size && parts.subList(0, this.parts.size) == this.parts
    }
}

private const val EXPECTED = 8

private fun parts(
    path: String,
    ignoreCase: Boolean = false,
): List<String> {
    val parts = ArrayList<String>(EXPECTED)
    var begin = 0
    while (begin < path.length) {
        var end = path.indexOf('/', begin)
        if (end < 0) end = path.length
        if (end > begin) parts += part(path, begin, end).let { if (ignoreCase) it.lowercase() else it }
        begin = end + 1
    }
    return parts
}

private fun part(
    path: String,
    begin: Int,
    end: Int,
): String =
    try {
        path.decodeURLPart(begin, end)
    } catch (_: URLDecodeException) {
        // Routing refuses such a path; its rule, if any, is that of the text as it is.
        path.substring(begin, end)
    }

package dev.ratelimit.ktor.server.matching

import io.ktor.http.URLDecodeException
import io.ktor.http.decodeURLPart

/**
 * The parts of a path as routing sees them: empty ones are skipped, each is decoded by itself, and a slash at its end makes no difference.
 * So every spelling that leads to a route is one path here.
 */
internal class PathSegments(
    rootPath: String,
    private val ignoreCase: Boolean,
) {
    private val root = parts(rootPath)

    /** Without the application's root path. */
    fun of(path: String): List<String> {
        val parts = parts(path)
        return if (root.isNotEmpty() && parts.size >= root.size && parts.subList(0, root.size) == root) parts.drop(root.size) else parts
    }

    private fun parts(path: String): List<String> {
        val parts = ArrayList<String>(EXPECTED)
        var begin = 0
        while (begin < path.length) {
            var end = path.indexOf('/', begin)
            if (end < 0) end = path.length
            if (end > begin) parts += part(path, begin, end)
            begin = end + 1
        }
        return parts
    }

    private fun part(
        path: String,
        begin: Int,
        end: Int,
    ): String {
        val part =
            try {
                path.decodeURLPart(begin, end)
            } catch (_: URLDecodeException) {
                // Routing refuses such a path; its rule, if any, is that of the text as it is.
                path.substring(begin, end)
            }
        return if (ignoreCase) part.lowercase() else part
    }

    private companion object {
        const val EXPECTED = 8
    }
}

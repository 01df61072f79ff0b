package dev.ratelimit.ktor.server.admin

/**
 * What stands in [path] behind the routes' prefix, as it was sent: names of rules have slashes and colons of their own. Null when there
 * is not even a slash.
 *
 * @param segments how many segments there are behind the prefix, as routing counts them: without the empty ones
 */
internal fun behindPrefix(
    path: String,
    segments: Int,
): String? {
    var skip = path.split('/').count { it.isNotEmpty() } - segments
    var at = 0
    while (skip > 0) {
        while (path[at] == '/') at++
        at = path.indexOf('/', at)
        if (at < 0) return null
        skip--
    }
    return path.substring(at + 1)
}

/** Where to go from `/prefix` to `/prefix/`, whatever stands before: the page's own links are relative. */
internal fun withSlash(path: String): String = "./${path.substringAfterLast('/')}/"

package dev.ratelimit.ktor.server.matching

import dev.ratelimit.ktor.server.settings.nearest

/** The methods that rules are about. */
internal object Methods {
    private val known =
        listOf("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY") +
            listOf("PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH")

    /** HEAD is a GET whose body nobody sends: it gives no budget of its own. */
    fun counted(method: String): String = if (method == "HEAD") "GET" else method

    /** Null for any method. */
    fun parse(
        text: String,
        pattern: String,
    ): String? {
        if (text == "*") return null
        require(text.isNotEmpty() && text.all { it in 'a'..'z' || it in 'A'..'Z' || it == '-' }) {
            "pattern '$pattern' begins with '$text', which is no method; write for example 'POST:/auth/*'"
        }
        val method = counted(text.uppercase())
        val meant = if (method in known) null else nearest(method, known)
        require(meant == null) { "pattern '$pattern' has the method '$text'; did you mean '$meant'?" }
        return method
    }
}

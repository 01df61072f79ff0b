package dev.ratelimit.ktor.server.address

import dev.ratelimit.ktor.server.ForwardingHeader
import io.ktor.http.Headers
import io.ktor.http.parseHeaderValue

/** Whom proxies name, the nearest last, as they wrote it. */
internal fun ForwardingHeader.hops(headers: Headers): List<String> {
    val lines = headers.getAll(header) ?: return emptyList()
    val elements = lines.flatMap { it.split(',') }
    return when (this) {
        ForwardingHeader.X_FORWARDED_FOR -> elements.map { it.trim() }
        // RFC 7239, section 4: pairs of names and values; one that names nobody is a hop all the same.
        ForwardingHeader.FORWARDED ->
            elements.map { element ->
                val pairs = parseHeaderValue(";$element").flatMap { it.params }
                pairs.firstOrNull { it.name.equals("for", ignoreCase = true) }?.value.orEmpty()
            }
    }
}

/** Without the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`, `[2001:db8::1]`. */
internal fun withoutPort(hop: String): String =
    when {
        hop.startsWith('[') -> hop.substringAfter('[').substringBefore(']')
        hop.indexOf(':') == hop.lastIndexOf(':') -> hop.substringBefore(':')
        else -> hop
    }

package dev.ratelimit.ktor.server.answers

import io.ktor.server.response.ResponseHeaders

/** Adds a header of this plugin, none of which is an engine's affair. */
internal fun ResponseHeaders.add(
    name: String,
    value: String,
) = append(name, value, safeOnly = false)

/** As [add], unless a handler has said it by itself. */
internal fun ResponseHeaders.addIfAbsent(
    name: String,
    value: String,
) {
    if (name !in this) add(name, value)
}

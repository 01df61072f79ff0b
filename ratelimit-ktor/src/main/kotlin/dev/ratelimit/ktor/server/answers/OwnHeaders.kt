package dev.ratelimit.ktor.server.answers

import io.ktor.server.response.ResponseHeaders
import io.ktor.server.response.appendIfAbsent

/** Adds a header of this plugin, none of which is an engine's affair. What a handler has said by itself stays. */
internal fun ResponseHeaders.own(
    name: String,
    value: String,
) = appendIfAbsent(name, value, safeOnly = false)

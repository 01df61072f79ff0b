package dev.ratelimit.ktor.client

import io.ktor.http.Url

/**
 * The robots.txt of the host asks robots not to request [url], or cannot be had from a server that fails (RFC 9309, 2.3.1.4). Trying again
 * does not help before the file has changed and is read anew, after a day.
 */
public class RequestDisallowedException internal constructor(
    public val url: Url,
    reason: String,
) : RuntimeException("$url was not requested: $reason")

package dev.ratelimit.ktor.server.admin

import io.ktor.http.HttpHeaders
import io.ktor.http.HttpMethod
import io.ktor.server.request.ApplicationRequest
import io.ktor.server.request.header
import io.ktor.server.request.httpMethod

/**
 * Whether a browser sends the call for a page of another site: by Fetch Metadata where the browser tells it, else by Origin against Host.
 * Programs that are no browsers tell neither, and nobody can make them send what their user did not want.
 *
 * Visits are let through, so that there can be links to the dashboard; what they show is out of the other page's reach.
 */
internal fun ApplicationRequest.isForAnotherSite(): Boolean {
    val site = header("Sec-Fetch-Site")
    if (site != null) return site != "same-origin" && site != "none" && !isVisit()
    val origin = header(HttpHeaders.Origin) ?: return false
    return !isOrigin(origin, header(HttpHeaders.Host).orEmpty())
}

private fun ApplicationRequest.isVisit() =
    httpMethod == HttpMethod.Get && header("Sec-Fetch-Mode") == "navigate" && header("Sec-Fetch-Dest") == "document"

private fun isOrigin(
    origin: String,
    host: String,
): Boolean {
    val port = DEFAULT_PORTS[origin.substringBefore("://", "").lowercase()] ?: return false
    return withoutPort(origin.substringAfter("://"), port) == withoutPort(host, port)
}

private fun withoutPort(
    authority: String,
    port: Int,
) = authority.lowercase().removeSuffix(":$port")

private val DEFAULT_PORTS = mapOf("http" to 80, "https" to 443)

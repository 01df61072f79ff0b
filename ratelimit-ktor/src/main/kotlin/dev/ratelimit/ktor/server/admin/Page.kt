package dev.ratelimit.ktor.server.admin

import io.ktor.http.HttpHeaders
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.ApplicationCall
import io.ktor.server.request.header
import io.ktor.server.response.header
import io.ktor.server.response.respond
import io.ktor.server.response.respondBytes

/** Serves the dashboard. */
internal class Page(
    private val assets: Assets,
) {
    suspend fun show(call: ApplicationCall) {
        call.response.header("Content-Security-Policy", POLICY)
        call.response.header(HttpHeaders.CacheControl, "no-store")
        call.respondBytes(assets.page.bytes, assets.page.type)
    }

    /** @param path a version and a name */
    suspend fun asset(
        call: ApplicationCall,
        path: String,
    ) {
        val asset =
            assets.find(path.substringBefore('/'), path.substringAfter('/', ""))
                ?: throw Problem(HttpStatusCode.NotFound, "there is no '$path' in this version of the dashboard; load its page again")
        // Private: it is for those who were let in.
        call.response.header(HttpHeaders.CacheControl, "private, max-age=31536000, immutable")
        call.response.header(HttpHeaders.ETag, asset.etag)
        if (isKnown(call, asset.etag)) call.respond(HttpStatusCode.NotModified) else call.respondBytes(asset.bytes, asset.type)
    }

    private fun isKnown(
        call: ApplicationCall,
        etag: String,
    ): Boolean =
        call.request
            .header(HttpHeaders.IfNoneMatch)
            .orEmpty()
            .split(',')
            .any { it.trim().removePrefix("W/") == etag }

    private companion object {
        /** Nothing but the page's own files, and nothing inline: a name that a client made up cannot become a script. */
        const val POLICY =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
                "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    }
}

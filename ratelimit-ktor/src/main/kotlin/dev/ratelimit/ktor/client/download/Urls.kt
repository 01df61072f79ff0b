package dev.ratelimit.ktor.client.download

import io.ktor.http.Url
import io.ktor.http.parseUrl

private val WEB = Regex("https?://[^/?#]+.*", RegexOption.IGNORE_CASE)
private val USER = Regex("(?<=://)[^/?#\\s]*@")
private val SECRET =
    Regex("([?&][^=&#]*(?:token|secret|signature|sig|passw|credential|key|auth)[^=&#]*=)[^&#\\s]+", RegexOption.IGNORE_CASE)

internal fun downloadableUrl(text: String): Url {
    val url = if (WEB.matches(text)) parseUrl(text) else null
    return requireNotNull(url) { "'${redacted(text)}' is not a URL that can be downloaded; write for example https://example.com/file.zip" }
}

/** [text], without users, passwords and what looks like a secret in the URLs in it. */
internal fun redacted(text: String): String = text.replace(USER, "***@").replace(SECRET, "$1***")

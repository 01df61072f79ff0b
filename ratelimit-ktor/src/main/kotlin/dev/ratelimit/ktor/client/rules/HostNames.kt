package dev.ratelimit.ktor.client.rules

/** The one spelling of a URL's host under which its rule is found. Ktor reads a URL without a host as one of localhost. */
internal fun comparable(urlHost: String): String = urlHost.removeSurrounding("[", "]").removeSuffix(".").lowercase().ifEmpty { "localhost" }

/** [text] as [comparable] spells it, if it is a host and nothing else. */
internal fun hostName(text: String): String {
    require(text.isNotBlank()) { "host '$text' is empty; write for example \"www.sec.gov\"" }
    val strange = text.firstOrNull { it.isWhitespace() || it in "/?#@*,\\" }
    require(strange == null) { "host '$text' has a '$strange' and is not the name of one host; write for example \"www.sec.gov\"" }
    val afterAddress = text.substringAfterLast(']')
    require(afterAddress.count { it == ':' } != 1) {
        "host '$text' has a port, but a rule is about all ports of a host; write \"${text.substringBeforeLast(':')}\""
    }
    val name = text.removeSurrounding("[", "]").removeSuffix(".").lowercase()
    require(name.isNotEmpty()) { "host '$text' is empty; write for example \"www.sec.gov\"" }
    return name
}

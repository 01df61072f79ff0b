package dev.ratelimit.ktor.server

/**
 * The header in which proxies name the client. Exactly one is read: what a proxy does not write itself, it passes on from the client, who
 * may have written anything.
 */
public enum class ForwardingHeader(
    internal val header: String,
) {
    /** `X-Forwarded-For: client, proxy`. */
    X_FORWARDED_FOR("X-Forwarded-For"),

    /** `Forwarded: for=client, for=proxy` (RFC 7239). */
    FORWARDED("Forwarded"),
}

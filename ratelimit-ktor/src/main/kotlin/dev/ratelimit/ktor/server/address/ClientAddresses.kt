package dev.ratelimit.ktor.server.address

import dev.ratelimit.ktor.server.ForwardingHeader
import inet.ipaddr.IPAddress
import io.ktor.server.application.ApplicationCall

/** Where a call comes from: the [text] stands for its bucket, the [address] for what it is, where it is one. */
internal class ClientAddress(
    val text: String,
    val address: IPAddress?,
)

/**
 * Who calls: the peer of the connection, or whom a trusted proxy names. Of those that proxies name the rightmost counts that is not a
 * trusted proxy itself, for whatever stands left of it was written by the client.
 */
internal class ClientAddresses(
    private val proxies: AddressSet,
    private val header: ForwardingHeader,
    private val ipv6Prefix: Int,
    private val needsAddress: Boolean,
) {
    fun of(call: ApplicationCall): ClientAddress {
        val peer = call.request.local.remoteAddress
        // What most calls need: the text of an IPv4 address as the socket gives it.
        if (proxies.isEmpty && !needsAddress && peer.isNotEmpty() && ':' !in peer) return ClientAddress(peer, null)
        val address = Addresses.parse(peer.removePrefix("/")) ?: return ClientAddress(peer.ifEmpty { NOBODY }, null)
        val client = if (proxies.isEmpty || address !in proxies) address else forwarded(call, address)
        return ClientAddress(textOf(client), client)
    }

    /** What cannot be read names nobody: the last that was known stands for all who come that way. */
    private fun forwarded(
        call: ApplicationCall,
        peer: IPAddress,
    ): IPAddress {
        var nearest = peer
        for (hop in header.hops(call.request.headers).asReversed()) {
            nearest = Addresses.parse(withoutPort(hop)) ?: return nearest
            if (nearest !in proxies) return nearest
        }
        return nearest
    }

    /** The text that stands for [text], an address in any spelling; itself if it is none. */
    fun textOf(text: String): String = Addresses.parse(text.trim())?.let(::textOf) ?: text

    /** Whoever has one address of IPv6 has a whole network of them. */
    private fun textOf(address: IPAddress): String =
        if (address.isIPv6 && ipv6Prefix < IPV6_BITS) {
            "${address.toPrefixBlock(ipv6Prefix).lower.withoutPrefixLength().toCanonicalString()}/$ipv6Prefix"
        } else {
            address.toCanonicalString()
        }

    private companion object {
        const val IPV6_BITS = 128
        const val NOBODY = "unknown"
    }
}

package dev.ratelimit.ktor.server.address

import inet.ipaddr.AddressStringParameters.RangeParameters
import inet.ipaddr.IPAddress
import inet.ipaddr.IPAddressString
import inet.ipaddr.IPAddressStringParameters
import inet.ipaddr.ipv6.IPv6Address

/** Reads addresses as they stand in headers and settings; never asks a name server. */
internal object Addresses {
    private const val LONGEST = 64

    /** One address, or one block where a prefix length is allowed: nothing that stands for more, and no number that may be octal. */
    private fun strict(withPrefix: Boolean): IPAddressStringParameters =
        IPAddressStringParameters
            .Builder()
            .allowEmpty(false)
            .allowAll(false)
            .allowSingleSegment(false)
            .allowPrefix(withPrefix)
            .allowMask(false)
            .allowPrefixOnly(false)
            .allowWildcardedSeparator(false)
            .setRangeOptions(RangeParameters.NO_RANGE)
            .allow_inet_aton(false)
            .toParams()

    private val address = strict(withPrefix = false)
    private val block = strict(withPrefix = true)

    /** An address; one of IPv4 that is written as IPv6 is the one of IPv4. Null for any other text. */
    fun parse(text: String): IPAddress? = if (text.length > LONGEST) null else IPAddressString(text, address).address?.let(::normal)

    /** @throws IllegalArgumentException if the text is neither an address nor a CIDR block */
    fun parseBlock(text: String): IPAddress {
        val parsed = IPAddressString(text.trim(), block).address
        require(parsed != null) { "'$text' is neither an address nor a CIDR block; write for example '10.0.0.0/8' or '2001:db8::/32'" }
        if (parsed.networkPrefixLength == null) return normal(parsed)
        val block = parsed.toPrefixBlock()
        require(parsed.lower.withoutPrefixLength() == block.lower.withoutPrefixLength()) {
            "'$text' has bits beyond its prefix; write '$block' for the block, " +
                "or leave '/${parsed.networkPrefixLength}' out for the address"
        }
        return if (block is IPv6Address && block.isIPv4Mapped) block.embeddedIPv4Address.toPrefixBlock() else block
    }

    private fun normal(address: IPAddress): IPAddress {
        if (address !is IPv6Address) return address
        return if (address.isIPv4Mapped) address.embeddedIPv4Address else address.removeZone()
    }
}

/** Blocks of addresses. */
internal class AddressSet(
    blocks: List<String>,
) {
    private val blocks = blocks.map(Addresses::parseBlock)

    val isEmpty: Boolean get() = blocks.isEmpty()

    operator fun contains(address: IPAddress): Boolean = blocks.any { it.contains(address) }
}

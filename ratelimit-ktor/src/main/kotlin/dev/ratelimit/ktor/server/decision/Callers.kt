package dev.ratelimit.ktor.server.decision

import dev.ratelimit.ktor.server.address.AddressSet
import dev.ratelimit.ktor.server.rules.Keys
import io.ktor.server.application.ApplicationCall

/** A list of callers; of API keys it knows the hashes, so that comparing them tells nothing by the time it takes. */
internal class Callers(
    private val addresses: AddressSet,
    private val keyHashes: Set<String>,
    private val conditions: List<(ApplicationCall) -> Boolean>,
) {
    val needsAddress: Boolean get() = !addresses.isEmpty

    private val isEmpty = addresses.isEmpty && keyHashes.isEmpty() && conditions.isEmpty()

    fun includes(visit: Visit): Boolean = !isEmpty && (hasAddress(visit) || hasKey(visit) || conditions.any { it(visit.call) })

    private fun hasAddress(visit: Visit): Boolean {
        if (addresses.isEmpty) return false
        val address = visit.address.address
        return address != null && address in addresses
    }

    private fun hasKey(visit: Visit): Boolean {
        if (keyHashes.isEmpty()) return false
        val key = visit.setup.apiKey(visit.call)
        return key != null && Keys.hashed(key) in keyHashes
    }
}

package dev.ratelimit.ktor.server

import dev.ratelimit.ktor.server.address.AddressSet
import dev.ratelimit.ktor.server.decision.Callers
import dev.ratelimit.ktor.server.rules.Keys
import io.ktor.server.application.ApplicationCall
import io.ktor.utils.io.KtorDsl

/** Names callers: by address, by API key, or by a function; whoever is named in one way is meant. */
@KtorDsl
public class CallersConfig internal constructor() {
    private val blocks = mutableListOf<String>()
    private val keys = mutableSetOf<String>()
    private val conditions = mutableListOf<(ApplicationCall) -> Boolean>()

    /**
     * Addresses and CIDR blocks: `addresses("127.0.0.1", "10.0.0.0/8", "2001:db8::/32")`.
     *
     * @throws IllegalArgumentException when the plugin is installed, if one is neither
     */
    public fun addresses(vararg cidrs: String) {
        blocks += cidrs
    }

    /**
     * API keys, as [RateLimitingConfig.apiKey] finds them.
     *
     * @throws IllegalArgumentException if one is blank
     */
    public fun apiKeys(vararg apiKeys: String) {
        require(apiKeys.none { it.isBlank() }) { "an API key is empty; leave it out" }
        apiKeys.mapTo(keys, Keys::hashed)
    }

    /** Calls of which [condition] is true. It is asked before routing and authentication. */
    public fun whenever(condition: (call: ApplicationCall) -> Boolean) {
        conditions += condition
    }

    internal fun build() = Callers(AddressSet(blocks), keys.toSet(), conditions.toList())
}

package dev.ratelimit.ktor.server.settings

import dev.ratelimit.ktor.server.CallersConfig
import dev.ratelimit.ktor.server.ForwardingHeader
import dev.ratelimit.ktor.server.RateLimitEnvironment
import dev.ratelimit.ktor.server.RateLimitTier
import dev.ratelimit.ktor.server.RateLimitTiers
import dev.ratelimit.ktor.server.RateLimitingConfig
import dev.ratelimit.ktor.server.RuleConfig
import io.ktor.server.application.ApplicationCall

/** Writes what a configuration file says into the settings. */
internal class ConfigReader(
    private val config: RateLimitingConfig,
    private val chooseTier: (ApplicationCall) -> String?,
) {
    fun read(values: Map<String, Any?>) {
        val root = ConfigSection("", values, KEYS)
        root.text("environment")?.let { config.environment(RateLimitEnvironment.parse(it)) }
        root.flag("enabled")?.let { config.isEnabled = it }
        root.flag("shadow")?.let { config.shadow = it }
        root.flag("ignoreCase")?.let { config.ignoreCase = it }
        root.flag("failOpen")?.let { config.failOpen = it }
        root.number("warnAt")?.let { config.warnAt = it }
        root.duration("maxWait")?.let { config.maxWait = it }
        root.whole("ipv6Prefix")?.let { config.ipv6Prefix = it.coerceIn(Int.MIN_VALUE.toLong(), Int.MAX_VALUE.toLong()).toInt() }
        root.flag("monitoring")?.let { config.monitoring = it }
        root.duration("metricsRetention")?.let { config.metricsRetention = it }
        proxies(root)
        val tiers = tiers(root)
        root.section("everywhere", LIMITS)?.let { section -> config.everywhere { fill(section, tiers) } }
        for (section in root.sections("rules", LIMITS + "match")) {
            val pattern =
                requireNotNull(section.text("match")) { "'${section.at("match")}' is missing; write for example \"POST:/auth/*\"" }
            config.rule(pattern) { fill(section, tiers) }
        }
        for (section in root.sections("limits", LIMITS + "name")) {
            val name = requireNotNull(section.text("name")) { "'${section.at("name")}' is missing; write the name that routes use" }
            config.limit(name) { fill(section, tiers) }
        }
        root.section("bypass", CALLERS)?.let { section -> config.bypass { fill(section) } }
        root.section("deny", CALLERS)?.let { section -> config.deny { fill(section) } }
        root.section("answers", ANSWERS)?.let(::answers)
    }

    private fun proxies(root: ConfigSection) {
        val blocks = root.texts("trustedProxies")
        val name = root.text("forwardingHeader")
        val header = ForwardingHeader.entries.firstOrNull { it.header.equals(name, ignoreCase = true) }
        require(name == null || header != null) {
            "setting 'forwardingHeader' is '$name'; write ${ForwardingHeader.entries.joinToString(" or ") { it.header }}"
        }
        require(header == null || blocks.isNotEmpty()) {
            "setting 'forwardingHeader' is '$name', but there are no 'trustedProxies' to be believed; write their addresses"
        }
        if (blocks.isNotEmpty()) config.trustedProxies(*blocks.toTypedArray(), header = header ?: ForwardingHeader.X_FORWARDED_FOR)
    }

    /** Names of ready ones, or own ones with their limits; null where there are none. */
    private fun tiers(root: ConfigSection): RateLimitTiers? {
        val ready = listOf(RateLimitTier.FREE, RateLimitTier.PREMIUM, RateLimitTier.ENTERPRISE)
        val tiers =
            if (root.isList("tiers") || root.names.none { it == "tiers" }) {
                root.texts("tiers").map { name ->
                    requireNotNull(ready.firstOrNull { it.name == name }) {
                        "setting 'tiers' has '$name', which is not ready; write ${ready.map {
                            it.name
                        }}, or a section with limits: $name = [\"100/h\"]"
                    }
                }
            } else {
                root.named("tiers")?.let { section ->
                    section.names.map { RateLimitTier(it, *section.limits(it).toTypedArray()) }
                }.orEmpty()
            }
        return if (tiers.isEmpty()) null else RateLimitTiers(*tiers.toTypedArray(), choose = chooseTier)
    }

    private fun RuleConfig.fill(
        section: ConfigSection,
        tiers: RateLimitTiers?,
    ) {
        section.flag("shadow")?.let { shadow = it }
        section.flag("fallThrough")?.let { fallThrough = it }
        section.whole("weight")?.let { weight(it) }
        fill(section, "perIp", tiers, { perIp(*it) }, { perIp(it) })
        fill(section, "perUser", tiers, { perUser(*it) }, { perUser(it) })
        fill(section, "perApiKey", tiers, { perApiKey(*it) }, { perApiKey(it) })
        fill(section, "perEndpoint", null, { perEndpoint(*it) }, {})
        fill(section, "global", null, { global(*it) }, {})
    }

    private fun fill(
        section: ConfigSection,
        key: String,
        tiers: RateLimitTiers?,
        byLimits: (Array<dev.ratelimit.RateLimit>) -> Unit,
        byTiers: (RateLimitTiers) -> Unit,
    ) {
        if (!section.has(key)) return
        require(section.texts(key).isNotEmpty()) { "'${section.at(key)}' has no limit; write for example 100/1m, or leave it out" }
        if (section.texts(key) != listOf(TIERS)) return byLimits(section.limits(key).toTypedArray())
        byTiers(
            requireNotNull(tiers) {
                "'${section.at(key)}' goes by tiers, but there are none; write tiers = [\"free\", \"premium\"], or limits"
            },
        )
    }

    private fun CallersConfig.fill(section: ConfigSection) {
        addresses(*section.texts("addresses").toTypedArray())
        apiKeys(*section.texts("apiKeys").toTypedArray())
    }

    private fun answers(section: ConfigSection) =
        config.answers {
            section.flag("retryAfter")?.let { retryAfter = it }
            section.flag("rateLimitHeaders")?.let { rateLimitHeaders = it }
            section.flag("standardHeaders")?.let { standardHeaders = it }
            section.flag("resetAsEpoch")?.let { resetAsEpoch = it }
        }

    private companion object {
        const val TIERS = "tiers"
        val LIMITS = setOf("perIp", "perUser", "perApiKey", "perEndpoint", "global", "shadow", "fallThrough", "weight")
        val CALLERS = setOf("addresses", "apiKeys")
        val ANSWERS = setOf("retryAfter", "rateLimitHeaders", "standardHeaders", "resetAsEpoch")
        val KEYS =
            setOf("environment", "enabled", "shadow", "ignoreCase", "failOpen", "warnAt", "maxWait", "ipv6Prefix") +
                setOf("monitoring", "metricsRetention") +
                setOf("trustedProxies", "forwardingHeader", TIERS, "everywhere", "rules", "limits", "bypass", "deny", "answers")
    }
}

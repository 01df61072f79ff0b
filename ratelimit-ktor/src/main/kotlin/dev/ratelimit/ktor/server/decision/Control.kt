package dev.ratelimit.ktor.server.decision

import dev.ratelimit.RateLimitResult
import dev.ratelimit.ktor.server.RateLimitCounts
import dev.ratelimit.ktor.server.RateLimitHealth
import dev.ratelimit.ktor.server.RateLimitMetrics
import dev.ratelimit.ktor.server.RateLimitRuleInfo
import dev.ratelimit.ktor.server.RateLimitingConfig
import dev.ratelimit.ktor.server.RateLimitingControl
import dev.ratelimit.ktor.server.monitoring.Questions
import dev.ratelimit.ktor.server.rules.KeySource
import dev.ratelimit.ktor.server.rules.Keys
import dev.ratelimit.ktor.server.rules.Scope
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.TallyStore
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import dev.ratelimit.RateLimit as Limit

/** What an application holds of its [Runtime]. */
internal class Control(
    val runtime: Runtime,
    private val asker: Asker,
) : RateLimitingControl {
    override var isEnabled: Boolean
        get() = runtime.switch.isOn
        set(value) = runtime.switch.turn(value)

    override val isSwitchShared: Boolean get() = runtime.switch.isShared

    override val isStoreUp: Boolean get() = runtime.isStoreUp

    override val rules: List<RateLimitRuleInfo> get() = runtime.setup.book.all.map { it.info() }

    override suspend fun peek(
        rule: String,
        scope: String,
        key: String?,
        tier: String?,
    ): List<RateLimitResult> {
        val found = runtime.setup.book.rule(rule).scope(scope)
        val text = keyOf(found, key)
        return found.policies(tier).map { asker.peek(Charge(found.bucket(text, it), it.limit, 1)) }
    }

    override suspend fun reset(
        rule: String,
        scope: String,
        key: String?,
    ) {
        val found = runtime.setup.book.rule(rule).scope(scope)
        val text = keyOf(found, key)
        val buckets = found.allPolicies.map { found.bucket(text, it) }.distinct()
        Questions.inTime { runtime.store.resetAsync(buckets).thenApply { true } }
    }

    private fun keyOf(
        scope: Scope,
        key: String?,
    ): String? {
        require(scope.hasKeys || key == null) { "'${scope.name}' has one bucket for all, and no key '$key'; leave the key out" }
        require(!scope.hasKeys || !key.isNullOrEmpty()) { "'${scope.name}' has a bucket for each key; say which key" }
        if (key == null || scope.source == KeySource.Ip) return key?.let(runtime.setup.addresses::textOf)
        return Keys.sought(key, scope.isSecret, scope.name)
    }

    override fun reload(configure: RateLimitingConfig.() -> Unit): Unit = runtime.reload(configure)

    override fun reload(): Unit = runtime.reload()

    override suspend fun health(): RateLimitHealth {
        val store = runtime.store
        val start = System.nanoTime()
        val isUp =
            Questions.orNull {
                // Asked of the store itself: a decision may come from what stands in for it.
                if (store is TallyStore) Questions.inTime { store.talliesAsync(listOf(PROBE)) } else asker.peek(probe)
            } != null
        return RateLimitHealth(store.toString(), isUp, (System.nanoTime() - start).nanoseconds)
    }

    override suspend fun metrics(
        window: Duration,
        byEndpoint: Boolean,
    ): RateLimitMetrics = runtime.monitoring.metrics(window, byEndpoint)

    override fun counts(): Map<String, RateLimitCounts> = runtime.monitoring.counts()

    private companion object {
        const val PROBE = "health"
        val probe = Charge(BucketKey(PROBE, null, 0), Limit.perSecond(1.0), 1)
    }
}

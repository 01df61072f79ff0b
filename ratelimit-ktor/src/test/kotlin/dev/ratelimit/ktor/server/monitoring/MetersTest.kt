package dev.ratelimit.ktor.server.monitoring

import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.perHour
import dev.ratelimit.ktor.server.RateLimitHealth
import dev.ratelimit.ktor.server.RateLimitMetrics
import dev.ratelimit.ktor.server.RateLimitRuleInfo
import dev.ratelimit.ktor.server.RateLimitingConfig
import dev.ratelimit.ktor.server.RateLimitingControl
import dev.ratelimit.ktor.server.bindRateLimitMeters
import dev.ratelimit.ktor.server.limited
import dev.ratelimit.ktor.server.rateLimiting
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainAll
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.shouldBe
import io.micrometer.core.instrument.simple.SimpleMeterRegistry
import io.micrometer.prometheusmetrics.PrometheusConfig
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry
import java.lang.ref.WeakReference
import java.util.concurrent.TimeUnit
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.seconds

/** What a registry is told. */
class MetersTest :
    FunSpec({
        val monitoring = LocalMonitoring(TestClock(), 1.days)
        val control = Control(monitoring)
        val registry = SimpleMeterRegistry()

        fun count(
            rule: String,
            outcome: String,
        ) = registry
            .find("ratelimit.server.requests")
            .tags("rule", rule, "outcome", outcome)
            .functionCounter()
            ?.count()

        /** As whoever shows them does. */
        fun read() = registry.meters.forEach { meter -> meter.measure().forEach { it.value } }

        fun calls(outcome: String) = registry.get("ratelimit.server.calls").tags("outcome", outcome).functionCounter().count()

        test("requests are counted by rule and outcome, calls by outcome, decisions are timed, and no key is told") {
            monitoring.counter("/api/*")
            control.bindRateLimitMeters(registry)
            Outcome.entries.forEachIndexed { i, outcome -> repeat(i + 1) { monitoring.call("/api/*", outcome, nanos = 1_000) } }
            // Another rule about a call that is one of those.
            monitoring.counter("/api/admin").add(Outcome.DENIED, 5_000)
            monitoring.deny("secret")
            eventually(10.seconds) {
                read()
                count("/api/admin", "denied") shouldBe 1.0
            }

            OUTCOMES.forEachIndexed { i, outcome ->
                count("/api/*", outcome) shouldBe i + 1.0
                calls(outcome) shouldBe i + 1.0
            }
            registry.get("ratelimit.server.decision").tags("rule", "/api/*").functionTimer().run {
                count() shouldBe 28.0
                totalTime(TimeUnit.MICROSECONDS) shouldBe 28.0
            }
            registry.get("ratelimit.server.decision").tags("rule", "/api/admin").functionTimer().totalTime(TimeUnit.NANOSECONDS) shouldBe
                5_000.0
            registry.meters.flatMap { it.id.tags }.map { it.key }.toSet() shouldBe setOf("rule", "outcome")
            registry.meters.flatMap { it.id.tags }.map { it.value }.toSet() shouldBe OUTCOMES.toSet() + setOf("/api/*", "/api/admin")
        }

        test("whether the store answers") {
            fun isUp() = registry.get("ratelimit.server.store.up").gauge().value()
            isUp() shouldBe 1.0
            control.isStoreUp = false
            isUp() shouldBe 0.0
        }

        test("a rule that is new appears when the registry is read") {
            monitoring.call("/new", Outcome.ALLOWED)
            eventually(10.seconds) {
                read()
                registry.meters.flatMap { it.id.tags }.map { it.value } shouldContainAll listOf("/new")
            }
            eventually(10.seconds) { count("/new", "allowed") shouldBe 1.0 }
        }

        test("the meters of a server follow its rules, also those that a reload has added") {
            val ofServer = PrometheusMeterRegistry(PrometheusConfig.DEFAULT)

            fun told() =
                ofServer
                    .scrape()
                    .lines()
                    .filter { it.startsWith("ratelimit_server_requests_total{") && !it.endsWith(" 0.0") }
                    .map { it.substringAfter('{') }
            limited({ rule("/api/*") { perIp(2.perHour) } }) {
                application.rateLimiting.bindRateLimitMeters(ofServer)
                repeat(5) { get("/api/x") }
                val before = listOf("outcome=\"allowed\",rule=\"/api/*\"} 2.0", "outcome=\"denied\",rule=\"/api/*\"} 3.0")
                eventually(10.seconds) { told() shouldContainExactlyInAnyOrder before }
                application.rateLimiting.reload { rule("/new/*") { perIp(2.perHour) } }
                repeat(3) { get("/new/x") }
                get("/api/x")
                eventually(10.seconds) {
                    told() shouldContainExactlyInAnyOrder
                        before + listOf("outcome=\"allowed\",rule=\"/new/*\"} 2.0", "outcome=\"denied\",rule=\"/new/*\"} 1.0")
                }
            }
        }

        test("a registry keeps no control alive") {
            fun bound() = Control(LocalMonitoring(TestClock(), 1.days)).also {
                it.bindRateLimitMeters(SimpleMeterRegistry().also(kept::add))
            }
            val gone = WeakReference(bound())
            eventually(20.seconds) {
                System.gc()
                gone.get() shouldBe null
            }
            kept.single().get("ratelimit.server.calls").tags("outcome", "denied").functionCounter().count() shouldBe 0.0
        }
    })

private val kept = ArrayList<SimpleMeterRegistry>()

internal val OUTCOMES = listOf("allowed", "denied", "shadow_denied", "bypassed", "blocked", "failed_open", "failed_closed")

/** As much of a control as meters look at. */
internal class Control(
    private val monitoring: Monitoring,
) : RateLimitingControl {
    override var isEnabled: Boolean = true
    override val isSwitchShared: Boolean get() = false
    override var isStoreUp: Boolean = true
    override val rules: List<RateLimitRuleInfo> get() = emptyList()

    override suspend fun peek(
        rule: String,
        scope: String,
        key: String?,
        tier: String?,
    ): List<RateLimitResult> = emptyList()

    override suspend fun reset(
        rule: String,
        scope: String,
        key: String?,
    ) = Unit

    override fun reload(configure: RateLimitingConfig.() -> Unit) = Unit

    override fun reload() = Unit

    override suspend fun health(): RateLimitHealth = error("nobody asks for it")

    override suspend fun metrics(
        window: Duration,
        byEndpoint: Boolean,
    ): RateLimitMetrics = monitoring.metrics(window, byEndpoint)

    override fun counts() = monitoring.counts()
}

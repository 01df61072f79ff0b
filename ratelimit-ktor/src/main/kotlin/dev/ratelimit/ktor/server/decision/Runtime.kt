package dev.ratelimit.ktor.server.decision

import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.ktor.server.RateLimitRefusal
import dev.ratelimit.ktor.server.RateLimitRefusal.Reason
import dev.ratelimit.ktor.server.RateLimitingConfig
import dev.ratelimit.ktor.server.admin.AdminRoutes
import dev.ratelimit.ktor.server.monitoring.Monitoring
import dev.ratelimit.ktor.server.monitoring.Outcome
import dev.ratelimit.ktor.server.rules.Stage
import dev.ratelimit.ktor.server.settings.watch
import dev.ratelimit.spi.TallyStore
import io.ktor.server.application.Application
import io.ktor.server.application.ApplicationCall
import io.ktor.server.application.ApplicationModulesLoaded
import io.ktor.server.application.ApplicationStopped
import io.ktor.server.plugins.origin
import io.ktor.server.routing.Route
import io.ktor.server.routing.RoutingPipelineCall
import org.slf4j.LoggerFactory
import java.util.concurrent.ConcurrentHashMap

/** An installed plugin. */
internal class Runtime(
    private val application: Application,
    private var configure: RateLimitingConfig.() -> Unit,
) {
    private val config = RateLimitingConfig().apply(configure)

    /** Closed with the application, unlike one that was given. */
    private val ownStore = if (config.store == null) config.redisUri?.let(::connected) else null
    val store = config.store ?: ownStore ?: MemoryStore()

    @Volatile
    var setup: Setup = firstSetup()
        private set

    val switch = Switch(config.isEnabled, store as? TallyStore, application)
    val monitoring: Monitoring = config.monitoringOf(store, application)
    private val asker = Asker(store)
    private val endpoints = Endpoints(application, monitoring)
    private val reporter = Reporter(application, monitoring, endpoints)
    private val gatekeeper = Gatekeeper(asker, reporter)
    private val usedNames = ConcurrentHashMap.newKeySet<String>()

    val isStoreUp: Boolean get() = if (switch.isShared) switch.isReached else !reporter.isAway

    private var isEnabledBySettings = config.isEnabled

    val control = Control(this, asker)

    init {
        config.watched?.let { watch(it.file, it.every, application) { reload() } }
    }

    /** An engine that loads an application anew has one monitor for the old and the new. */
    private val subscriptions =
        listOf(
            application.monitor.subscribe(ApplicationStopped) { if (it === application) close() },
            application.monitor.subscribe(ApplicationModulesLoaded) { if (it === application) checkNames(setup) },
        )

    /** An application that starts while Redis is away goes by what a store does then. */
    private fun connected(uri: String): RedisStore = RedisStore.builder().mayStartAway(true).connect(uri)

    private fun firstSetup(): Setup {
        var setup: Setup? = null
        try {
            return config.build(store, application.rootPath, config.admin?.prefix).also { setup = it }
        } finally {
            if (setup == null) ownStore?.close()
        }
    }

    private fun close() {
        subscriptions.forEach { it.dispose() }
        switch.close()
        monitoring.close()
        ownStore?.close()
    }

    /** The routes that show and steer this, where they are wanted. */
    fun installAdmin(route: Route) {
        config.admin?.let { AdminRoutes(control, it, { call -> setup.addresses.of(call).text }).install(route) }
    }

    /** @throws IllegalArgumentException if there is no limit of this name */
    fun use(name: String) {
        require(setup.book.named(name) != null) {
            "there is no limit '$name' for routes; write limit(\"$name\") { … } in RateLimiting, or one of ${setup.book.names}"
        }
        usedNames += name
    }

    private fun checkNames(setup: Setup) {
        val unused = setup.book.names - usedNames
        require(unused.isEmpty()) {
            "no route is limited by ${unused.joinToString { "'$it'" }}, which could never be reached; " +
                "write rateLimited(\"${unused.first()}\") { … } around routes, or leave the limit out"
        }
    }

    fun reload() = reload(configure)

    /** @throws IllegalArgumentException if the new settings cannot be meant; then the old ones stay in force */
    @Synchronized
    fun reload(configure: RateLimitingConfig.() -> Unit) {
        // The store stays; without one here, the environment would make another.
        val config = RateLimitingConfig().apply { store = this@Runtime.store }.apply(configure)
        val next = config.build(store, application.rootPath, this.config.admin?.prefix)
        val missing = usedNames - next.book.names
        require(missing.isEmpty()) { "routes are limited by ${missing.joinToString { "'$it'" }}, which the new settings do not have" }
        checkNames(next)
        if (config.store !== store) {
            log.warn("the store that is set at a reload is not taken, and stays open; set one that was made outside of the block")
        }
        if (config.isEnabled != isEnabledBySettings) switch.turn(config.isEnabled)
        isEnabledBySettings = config.isEnabled
        setup = next
        this.configure = configure
    }

    /** Null for a call that no rule can be about. */
    fun visit(call: ApplicationCall): Visit? {
        val setup = setup
        // As plugins may have changed it; looked up once, for both.
        val origin = call.request.origin
        val path = origin.uri.substringBefore('?')
        val visit = Visit(call, setup)
        when {
            setup.deny.includes(visit) -> visit.outcome = Outcome.BLOCKED
            setup.exempt?.holds(path) == true -> return null
            !switch.isOn || setup.bypass.includes(visit) -> visit.outcome = Outcome.BYPASSED
            else -> visit.join(setup.book.rules(origin.method.value, setup.book.readings(path)))
        }
        call.attributes.put(Visit.key, visit)
        return visit
    }

    /** The visit of a call whose route is known. */
    fun routed(call: RoutingPipelineCall): Visit? {
        val visit = call.attributes.getOrNull(Visit.key) ?: return null
        val info = endpoints.of(call.route)
        visit.route = info
        if (visit.outcome != null || visit.last != Stage.ARRIVAL) return null
        visit.call = call
        if (info.rules.isNotEmpty()) visit.join(info.rules.mapNotNull { visit.setup.book.named(it) })
        return visit
    }

    /** Takes the call to a stage, and tells whether there is something to decide, so that most calls need not ask whether they may pass. */
    fun enters(
        visit: Visit,
        stage: Stage,
    ): Boolean {
        if (visit.outcome != null) return visit.outcome == Outcome.BLOCKED
        visit.last = stage
        return visit.groups.any { it.isAskedAt(stage) }
    }

    /** Whether the call may go on from a stage that it has entered; otherwise it has been answered. */
    suspend fun passes(
        visit: Visit,
        stage: Stage,
    ): Boolean {
        val refusal =
            when (visit.outcome) {
                Outcome.BLOCKED -> blocked.also { reporter.blocked(visit, it) }
                null -> gatekeeper.ask(visit, stage)
                else -> null
            } ?: return true
        visit.setup.answers.refuse(visit.call, refusal)
        return false
    }

    fun end(visit: Visit) = reporter.ended(visit)

    private companion object {
        val log = LoggerFactory.getLogger("dev.ratelimit.ktor.server.RateLimiting")
        val blocked = RateLimitRefusal(Reason.BLOCKED, "", null, null, emptyList(), null, null, "This caller is not let in.")
    }
}

package dev.ratelimit.ktor.server.decision

import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.ktor.server.RateLimitRefusal
import dev.ratelimit.ktor.server.RateLimitRefusal.Reason
import dev.ratelimit.ktor.server.RateLimitingConfig
import dev.ratelimit.ktor.server.admin.AdminRoutes
import dev.ratelimit.ktor.server.monitoring.Monitoring
import dev.ratelimit.ktor.server.monitoring.Outcome
import dev.ratelimit.ktor.server.rules.Stage
import dev.ratelimit.ktor.server.settings.watch
import io.ktor.server.application.Application
import io.ktor.server.application.ApplicationCall
import io.ktor.server.application.ApplicationModulesLoaded
import io.ktor.server.application.ApplicationStopped
import io.ktor.server.request.httpMethod
import io.ktor.server.request.path
import io.ktor.server.routing.Route
import io.ktor.server.routing.RoutingNode
import io.ktor.server.routing.RoutingPipelineCall
import java.util.concurrent.ConcurrentHashMap

/** An installed plugin. */
internal class Runtime(
    private val application: Application,
    private var configure: RateLimitingConfig.() -> Unit,
) {
    private val config = RateLimitingConfig().apply(configure)
    val store = config.store ?: MemoryStore()
    private val asker = Asker(store)
    val monitoring: Monitoring = config.monitoringOf(store, application)
    private val reporter = Reporter(application, monitoring)
    private val gatekeeper = Gatekeeper(asker, reporter)
    private val routes = ConcurrentHashMap<RoutingNode, RouteInfo>()
    private val usedNames = ConcurrentHashMap.newKeySet<String>()

    @Volatile
    var isEnabled: Boolean = config.isEnabled

    @Volatile
    var setup: Setup = config.build(store, application.rootPath, config.admin?.prefix)
        private set

    val control = Control(this, asker)

    init {
        config.watched?.let { watch(it.file, it.every, application) { reload() } }
        application.monitor.subscribe(ApplicationStopped) { monitoring.close() }
        application.monitor.subscribe(ApplicationModulesLoaded) { checkNames() }
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

    private fun checkNames() {
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
        setup = next
        this.configure = configure
    }

    /** Null for a call that no rule can be about. */
    fun visit(call: ApplicationCall): Visit? {
        val setup = setup
        val path = setup.book.segments(call.request.path())
        if (setup.exempt != null && path.size >= setup.exempt.size && path.subList(0, setup.exempt.size) == setup.exempt) return null
        val visit = Visit(call, setup)
        when {
            setup.deny.includes(visit) -> visit.outcome = Outcome.BLOCKED
            !isEnabled || setup.bypass.includes(visit) -> visit.outcome = Outcome.BYPASSED
            else -> visit.join(setup.book.rules(call.request.httpMethod.value, path))
        }
        call.attributes.put(Visit.key, visit)
        return visit
    }

    /** The visit of a call whose route is known. */
    fun routed(call: RoutingPipelineCall): Visit? {
        val visit = call.attributes.getOrNull(Visit.key) ?: return null
        if (visit.outcome != null || visit.last != Stage.ARRIVAL) return null
        val info = routes.getOrPut(call.route) { RouteInfo.of(call.route) }
        visit.route = info
        visit.call = call
        if (info.rules.isNotEmpty()) visit.join(info.rules.mapNotNull { visit.setup.book.named(it) })
        return visit
    }

    /** Whether the call may go on; otherwise it has been answered. */
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
        val blocked = RateLimitRefusal(Reason.BLOCKED, "", null, null, null, null, "This caller is not let in.")
    }
}

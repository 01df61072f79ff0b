package dev.ratelimit.benchmarks.server

import io.ktor.events.Events
import io.ktor.server.application.Application
import io.ktor.server.application.ApplicationEnvironment
import io.ktor.server.engine.ApplicationEngine
import io.ktor.server.engine.ApplicationEngineFactory
import io.ktor.server.engine.BaseApplicationEngine
import io.ktor.server.engine.embeddedServer
import kotlin.coroutines.Continuation
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.coroutines.startCoroutine

/** An engine without a network: calls come from the program, and what they are answered is dropped. */
internal class InstantEngine(
    environment: ApplicationEnvironment,
    monitor: Events,
    isDevelopment: Boolean,
) : BaseApplicationEngine(environment, monitor, isDevelopment) {
    override fun start(wait: Boolean): ApplicationEngine {
        resolvedConnectorsDeferred.complete(emptyList())
        return this
    }

    override fun stop(
        gracePeriodMillis: Long,
        timeoutMillis: Long,
    ) = Unit

    object Factory : ApplicationEngineFactory<InstantEngine, Configuration> {
        override fun configuration(configure: Configuration.() -> Unit) = Configuration().apply(configure)

        override fun create(
            environment: ApplicationEnvironment,
            monitor: Events,
            developmentMode: Boolean,
            configuration: Configuration,
            applicationProvider: () -> Application,
        ) = InstantEngine(environment, monitor, developmentMode)
    }
}

/** A running application, and calls to it. */
internal class InstantServer(
    module: Application.() -> Unit,
) : AutoCloseable {
    private val server = embeddedServer(InstantEngine.Factory, module = module).start()

    /** The status of one GET. Nothing suspends: limits in memory are there at once. */
    fun get(
        path: String,
        address: String,
    ): Int {
        val call = InstantCall(server.application, path, address)
        var end: Result<Unit>? = null
        val get: suspend () -> Unit = { server.engine.pipeline.execute(call, Unit) }
        get.startCoroutine(Continuation(EmptyCoroutineContext) { end = it })
        checkNotNull(end) { "the call was suspended" }.getOrThrow()
        return call.status
    }

    override fun close() = server.stop(0, 0)
}

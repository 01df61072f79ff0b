package dev.ratelimit.ktor.server.admin

import ch.qos.logback.classic.Level
import ch.qos.logback.classic.Logger
import ch.qos.logback.classic.spi.ILoggingEvent
import ch.qos.logback.core.read.ListAppender
import dev.ratelimit.NanoClock
import dev.ratelimit.ktor.server.RateLimitAdminConfig
import io.ktor.server.application.Application
import io.ktor.server.cio.CIO
import io.ktor.server.engine.ApplicationEngineFactory
import io.ktor.server.engine.embeddedServer
import io.ktor.server.routing.routing
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.slf4j.LoggerFactory
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse
import java.net.http.HttpResponse.BodyHandlers
import java.time.Duration

/** A client of admin routes that sends just what it is told to. */
internal open class AdminClient(
    val port: Int,
    prefix: String,
) {
    class Answer(
        response: HttpResponse<String>,
    ) {
        val status = response.statusCode()
        val body: String = response.body()
        private val headers = response.headers()
        val json: JsonObject get() = Json.parseToJsonElement(body).jsonObject
        val detail: String get() = json.getValue("detail").jsonPrimitive.content

        operator fun get(header: String): String? = headers.firstValue(header).orElse(null)
    }

    val url = "http://127.0.0.1:$port$prefix"

    suspend fun get(
        path: String,
        vararg headers: Pair<String, String>,
    ) = send("GET", path, null, *headers)

    suspend fun post(
        path: String,
        body: String,
        vararg headers: Pair<String, String> = arrayOf(JSON),
    ) = send("POST", path, BodyPublishers.ofString(body), *headers)

    suspend fun send(
        method: String,
        path: String,
        body: HttpRequest.BodyPublisher?,
        vararg headers: Pair<String, String>,
    ): Answer {
        val request = HttpRequest.newBuilder(URI("$url$path")).timeout(Duration.ofSeconds(30)).method(
            method,
            body ?: BodyPublishers.noBody(),
        )
        headers.forEach { (name, value) -> request.header(name, value) }
        return withContext(Dispatchers.IO) { Answer(client.send(request.build(), BodyHandlers.ofString())) }
    }

    companion object {
        val JSON = "Content-Type" to "application/json"

        /** Whose call it is, for tests that have several clients. */
        const val CLIENT = "X-Test-Client"
        private val client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()
    }
}

/** The admin routes on a real server. */
internal class AdminSite(
    port: Int,
    val control: FakeControl,
    val routes: AdminRoutes,
    prefix: String,
) : AdminClient(port, prefix)

internal suspend fun withAdmin(
    configure: RateLimitAdminConfig.() -> Unit = { authorize { true } },
    control: FakeControl = FakeControl(),
    clock: NanoClock = NanoClock.system(),
    engine: ApplicationEngineFactory<*, *> = CIO,
    port: Int = 0,
    application: Application.() -> Unit = {},
    test: suspend AdminSite.() -> Unit,
) {
    val config = RateLimitAdminConfig().apply(configure)
    val routes =
        AdminRoutes(
            control,
            config,
            { it.request.headers[AdminClient.CLIENT] ?: it.request.local.remoteAddress },
            clock,
        )
    val server =
        embeddedServer(engine, port = port, host = "127.0.0.1") {
            application()
            routing { routes.install(this) }
        }.start()
    try {
        AdminSite(
            server.engine
                .resolvedConnectors()
                .first()
                .port,
            control,
            routes,
            config.prefix,
        ).test()
    } finally {
        server.stop(0, 0)
    }
}

/** What the audit log says meanwhile. */
internal suspend fun audited(test: suspend () -> Unit): List<String> {
    val logger = LoggerFactory.getLogger("dev.ratelimit.audit") as Logger
    val appender = ListAppender<ILoggingEvent>().apply { start() }
    val before = logger.level
    logger.addAppender(appender)
    logger.isAdditive = false
    logger.level = Level.INFO
    try {
        test()
    } finally {
        logger.detachAppender(appender)
        logger.isAdditive = true
        logger.level = before
    }
    return appender.list.map { "${it.level} ${it.formattedMessage}" }
}

package dev.ratelimit.samples.server

import dev.ratelimit.jvm.RateLimit
import dev.ratelimit.jvm.perMinute
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.ktor.server.RateLimiting
import dev.ratelimit.spi.RateLimitStore
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.Application
import io.ktor.server.application.install
import io.ktor.server.cio.CIO
import io.ktor.server.engine.EmbeddedServer
import io.ktor.server.engine.embeddedServer
import io.ktor.server.response.header
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.routing
import java.security.MessageDigest
import java.util.Base64
import kotlin.time.Duration.Companion.minutes

/** One instance of an API: what it limits, and what it does. */
internal object ApiServer {
    const val HOST = "127.0.0.1"
    const val LOGINS_A_MINUTE = 5L
    const val CALLS_A_SECOND = 20
    const val EXPORTS_A_MINUTE = 6

    /** The password of the dashboard, new in each run: whoever sees the terminal may steer. */
    class Admin(
        val password: String,
    ) {
        private val expected = "Basic " + Base64.getEncoder().encodeToString("admin:$password".toByteArray())

        fun knows(header: String?): Boolean = header != null && MessageDigest.isEqual(expected.toByteArray(), header.toByteArray())
    }

    suspend fun start(
        store: RateLimitStore,
        port: Int,
        admin: Admin,
    ): EmbeddedServer<*, *> = embeddedServer(CIO, port = port, host = HOST) { api(store, admin) }.startSuspend(wait = false)

    private fun Application.api(
        limits: RateLimitStore,
        admin: Admin,
    ) {
        install(RateLimiting) {
            store = limits
            // The load comes from one machine, and says in this header who it plays.
            trustedProxies("127.0.0.0/8")
            rule("POST:/auth/*") { perIp(RateLimit.fixedWindow(LOGINS_A_MINUTE, 1.minutes)) }
            rule("/api/*") {
                perApiKey(CALLS_A_SECOND.perSecond)
                global((CALLS_A_SECOND * 2).perSecond)
            }
            rule("/api/export") {
                perApiKey(EXPORTS_A_MINUTE.perMinute)
                fallThrough = true
            }
            rule("/*") {
                perIp(1_000.perMinute)
                shadow = true
            }
            admin {
                challenge = "Basic realm=\"rate limits\""
                authorize { call -> admin.knows(call.request.headers[HttpHeaders.Authorization]) }
                actor { "admin" }
            }
        }
        routing {
            post("/auth/login") {
                call.response.header(HttpHeaders.WWWAuthenticate, "Basic")
                call.respondText("wrong password", status = HttpStatusCode.Unauthorized)
            }
            get("/api/orders/{id}") { call.respondText("order ${call.parameters["id"]}") }
            get("/api/export") { call.respondText("a large file") }
        }
    }
}

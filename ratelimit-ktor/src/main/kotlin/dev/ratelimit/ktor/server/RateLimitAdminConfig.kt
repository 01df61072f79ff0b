package dev.ratelimit.ktor.server

import io.ktor.server.application.ApplicationCall
import io.ktor.utils.io.KtorDsl

/**
 * The settings of the admin routes and the dashboard of [RateLimiting]: who may see and steer it, and where.
 *
 * ```kotlin
 * admin {
 *     challenge = "Basic realm=\"rate limits\""
 *     authorize { call -> call.request.basicAuthenticationCredentials()?.let { isAdmin(it) } ?: false }
 * }
 * ```
 *
 * Without [authorize] nobody is let in. Each client that is refused ten times in a minute is refused unasked for a while, calls that a
 * browser sends for another site always. Acts and refused tries are told to the logger `dev.ratelimit.audit`.
 *
 * Not thread-safe; used while the plugin is installed, and never after.
 */
@KtorDsl
public class RateLimitAdminConfig internal constructor() {
    internal var check: (suspend (ApplicationCall) -> Boolean)? = null
        private set

    internal var name: (ApplicationCall) -> String? = { null }
        private set

    /**
     * The path of the dashboard, under which all other routes are.
     *
     * @throws IllegalArgumentException if set to something that is not a path of fixed segments
     */
    public var prefix: String = "/rate-limits"
        set(value) {
            require(value.matches(PATH)) {
                "prefix '$value' is not a path of letters, digits, '-' and '_'; write for example \"/rate-limits\""
            }
            field = value
        }

    /**
     * What is sent as `WWW-Authenticate`, with the status 401, to those who are not let in: then a browser asks for name and password.
     * Null for the status 403.
     *
     * @throws IllegalArgumentException if set to something that cannot stand in a header
     */
    public var challenge: String? = null
        set(value) {
            require(value == null || (value.isNotBlank() && value.all { it in ' '..'~' })) {
                "challenge '$value' cannot stand in a header; write for example \"Basic realm=\\\"rate limits\\\"\", or null for none"
            }
            field = value
        }

    /**
     * The most dashboards and other readers that are told the counts each second; more than that have to ask.
     *
     * @throws IllegalArgumentException if set to a negative number
     */
    public var maxStreams: Int = 20
        set(value) {
            require(value >= 0) { "maxStreams $value is negative; write 1 or more, or 0 for no streams" }
            field = value
        }

    /**
     * Who is let in. Asked for each call, of the page, its data and the acts alike; the method tells acts (`POST`) from the rest. It sees
     * what the call carries: headers, cookies, sessions. What it throws is the call's failure, and lets nobody in.
     */
    public fun authorize(isAllowed: suspend (call: ApplicationCall) -> Boolean) {
        check = isAllowed
    }

    /** Who acts, for the audit log: the name of the user of a call that was let in, or null. */
    public fun actor(name: (call: ApplicationCall) -> String?) {
        this.name = name
    }

    private companion object {
        val PATH = Regex("(/[A-Za-z0-9_-]+)+")
    }
}

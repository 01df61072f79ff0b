package dev.ratelimit.ktor.server.admin

import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.ktor.server.RateLimitingControl
import dev.ratelimit.ktor.server.audit.Audit
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.ApplicationCall
import io.ktor.server.response.respond
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put

/** What can be done. */
internal class Acts(
    private val control: RateLimitingControl,
    private val audit: AdminAudit,
    private val name: (ApplicationCall) -> String?,
    private val address: (ApplicationCall) -> String,
) {
    suspend fun reset(call: ApplicationCall) {
        val fields = Fields.of(call, setOf("rule", "scope", "key"), RESET)
        val rule = fields.text("rule")
        val scope = fields.text("scope")
        val key = fields.textOrNull("key")
        val details = "rule=${Audit.quoted(rule)} scope=${Audit.quoted(scope)} key=${key?.let(AdminAudit::hash) ?: "-"} "
        try {
            orBadRequest { control.reset(rule, scope, key) }
        } catch (e: RateLimitStoreException) {
            audit.acted("reset failed", details, name(call), address(call))
            throw e
        }
        audit.acted("reset", details, name(call), address(call))
        call.respond(HttpStatusCode.NoContent)
    }

    suspend fun emergency(call: ApplicationCall) {
        val isEnabled = Fields.of(call, setOf("enabled"), EMERGENCY).flag("enabled")
        control.isEnabled = isEnabled
        audit.acted("limits switched ${if (isEnabled) "on" else "off"}", "", name(call), address(call))
        call.respondJson(buildJsonObject { put("isEnabled", isEnabled) })
    }

    private companion object {
        const val RESET = """{"rule": "/api/*", "scope": "ip", "key": "203.0.113.7"}"""
        const val EMERGENCY = """{"enabled": false}"""
    }
}

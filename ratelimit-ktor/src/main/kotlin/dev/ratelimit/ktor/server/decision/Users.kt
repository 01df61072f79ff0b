package dev.ratelimit.ktor.server.decision

import io.ktor.server.application.ApplicationCall
import io.ktor.server.auth.UserIdPrincipal
import io.ktor.server.auth.principal
import org.slf4j.LoggerFactory
import java.security.Principal
import java.util.concurrent.ConcurrentHashMap

/** Who a call's user is; null where it has none. */
internal class Users(
    val afterAuthentication: Boolean,
    val find: (ApplicationCall) -> Any?,
) {
    companion object {
        private val hasAuthentication =
            try {
                Class.forName("io.ktor.server.auth.UserIdPrincipal", false, Users::class.java.classLoader)
                true
            } catch (_: ClassNotFoundException) {
                false
            }

        /** The principal's name. */
        val byPrincipal = Users(afterAuthentication = true) { call -> if (hasAuthentication) PrincipalName.of(call) else null }
    }
}

/** Apart, because Ktor's authentication is an optional dependency. */
private object PrincipalName {
    private val log = LoggerFactory.getLogger(Users::class.java)
    private val strange = ConcurrentHashMap.newKeySet<Class<*>>()

    fun of(call: ApplicationCall): String? =
        when (val principal = call.principal<Any>()) {
            null -> null
            is UserIdPrincipal -> principal.name
            is Principal -> principal.name
            else -> null.also { warn(principal.javaClass) }
        }

    /** A principal that has no name must not be a user of its own for each call, which would be no limit at all. */
    private fun warn(type: Class<*>) {
        if (!strange.add(type)) return
        log.warn(
            "principals of {} have no name that perUser knows, so their calls are counted by client address; " +
                "write for example user {{ it.principal<{}>()?.id }}",
            type.name,
            type.simpleName,
        )
    }
}

package dev.ratelimit.ktor.server.admin

import dev.ratelimit.NanoClock
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.perMinute
import dev.ratelimit.ktor.server.audit.Audit
import dev.ratelimit.ktor.server.rules.Keys

/** Tells the audit log who did what, and who was not let in. */
internal class AdminAudit(
    clock: NanoClock,
) {
    private val lines = KeyedRateLimiter<String>("admin audit", MOST_LINES.perMinute, store = MemoryStore(clock, MOST_CLIENTS))

    /** @param who by name, if it is known */
    fun acted(
        act: String,
        details: String,
        who: String?,
        client: String,
    ) = Audit.acted(act, "${details}by=${who?.let(Audit::quoted) ?: "-"} from=${Audit.quoted(client)}")

    /** Of one client a bounded number, however often it tries: a log is no place to be flooded. */
    fun notLetIn(
        call: String,
        client: String,
        why: String,
    ) {
        val line = lines[client].tryAcquire()
        if (!line.isAllowed) return
        val rest = if (line.remaining() == 0L) "; no more of this client for now" else ""
        Audit.acted("not let in", "call=${Audit.quoted(call)} from=${Audit.quoted(client)} why=${Audit.quoted(why + rest)}")
    }

    companion object {
        private const val MOST_LINES = 20
        private const val MOST_CLIENTS = 100_000

        /** As it stands in the log when a limit refuses it. */
        fun hash(key: String): String = Keys.sought(key, true, "")
    }
}

package dev.ratelimit.ktor.server.admin

import dev.ratelimit.NanoClock
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.perMinute
import org.slf4j.LoggerFactory
import java.security.MessageDigest
import java.util.HexFormat

/** Tells who did what, and who was refused. Keys are told as hashes. */
internal class Audit(
    clock: NanoClock,
) {
    private val lines = KeyedRateLimiter<String>("admin audit", MOST_LINES.perMinute, store = MemoryStore(clock, MOST_CLIENTS))

    /** @param who by name, if it is known */
    fun done(
        act: String,
        who: String?,
        client: String,
    ) = log.info("{} by {} from {}", inert(act), inert(who ?: "an unnamed user"), inert(client))

    /** Of one client a bounded number, however often it tries: a log is no place to be flooded. */
    fun refused(
        call: String,
        client: String,
        why: String,
    ) {
        val line = lines[client].tryAcquire()
        if (!line.isAllowed) return
        val rest = if (line.remaining() == 0L) "; no more of this client for now" else ""
        log.warn("refused {} from {}: {}{}", inert(call), inert(client), why, rest)
    }

    companion object {
        private const val MOST_LINES = 20
        private const val MOST_CLIENTS = 100_000
        private const val LONGEST = 300
        private const val HASH_DIGITS = 16
        private val log = LoggerFactory.getLogger("dev.ratelimit.audit")

        fun hash(key: String): String =
            HexFormat
                .of()
                .formatHex(MessageDigest.getInstance("SHA-256").digest(key.toByteArray()))
                .take(HASH_DIGITS)

        /** One line stays one line, whatever was sent. */
        private fun inert(text: String): String =
            text.take(LONGEST).map { if (it.isISOControl() || it == '\u2028' || it == '\u2029') '?' else it }.joinToString("")
    }
}

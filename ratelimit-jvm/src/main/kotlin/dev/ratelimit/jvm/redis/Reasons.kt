package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimitStoreException
import java.io.IOException
import java.net.UnknownHostException

/** Says why Redis cannot be used, and what to do about it. */
internal object Reasons {
    private val LOGIN = listOf("WRONGPASS", "NOAUTH", "ERR AUTH", "ERR invalid password", "ERR Client sent AUTH")

    /** The words of Redis' versions, of a command and of one inside the script. */
    private val PERMISSION = listOf("NOPERM", "The user executing the script can't", "ACL failure in script")

    fun explained(
        server: String,
        cause: Throwable,
    ): RateLimitStoreException {
        val all = generateSequence(cause) { it.cause }.take(DEEPEST).toList()
        val said = all.last().message.orEmpty()
        val reason =
            when {
                all.any { failure -> LOGIN.any { failure.message.orEmpty().startsWith(it) } } ->
                    "Redis at $server refuses the user or the password ($said); write them into the URI: redis://user:password@host:port"
                all.any { failure -> PERMISSION.any { it in failure.message.orEmpty() } } ->
                    "Redis at $server does not permit what the store needs ($said); the README lists the permissions"
                all.any { it is UnknownHostException } -> "Redis at $server cannot be reached: there is no such host; check the URI"
                all.any { it is IOException } ->
                    "Redis at $server cannot be reached ($said); check host and port, and whether it speaks TLS (rediss://)"
                else -> "Redis at $server cannot be used ($said)"
            }
        return RateLimitStoreException(reason, cause)
    }

    /** Of a server that answers, and says that it does not serve now. */
    fun away(
        server: String,
        cause: Throwable,
    ) = RateLimitStoreException("Redis at $server does not serve: ${cause.message}", cause)

    private const val DEEPEST = 20
}

package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimitStoreException
import java.io.IOException
import java.net.UnknownHostException
import java.security.cert.CertificateException

/** Says why Redis cannot be used, and what to do about it. */
internal object Reasons {
    private val LOGIN = listOf("WRONGPASS", "NOAUTH", "ERR AUTH", "ERR invalid password", "ERR Client sent AUTH")

    /** The words of Redis' versions, of a command and of one inside the script. */
    private val PERMISSION = listOf("NOPERM", "The user executing the script can't", "ACL failure in script")

    /** Lettuce of bytes that are no answer. */
    private const val NOT_REDIS = "Invalid first byte"

    /** Where another node is named to a store that knows of one server. */
    private val CLUSTER = listOf("MOVED ", "ASK ")

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
                all.any { it is CertificateException } ->
                    "Redis at $server has a certificate that is not trusted here, or is for another host ($said); give the store " +
                        "a client of your own whose SslOptions trust it"
                all.any { it.message.orEmpty().startsWith(NOT_REDIS) } ->
                    "Redis at $server does not answer as Redis does; check host and port, and whether it speaks TLS (rediss://)"
                all.any { failure -> CLUSTER.any { failure.message.orEmpty().startsWith(it) } } ->
                    "Redis at $server is a node of a Redis Cluster ($said), which was not recognised; permit the user INFO, or give the " +
                        "store a RedisClusterClient"
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

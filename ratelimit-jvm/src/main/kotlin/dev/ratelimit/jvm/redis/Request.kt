package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimitResult
import java.util.concurrent.CompletableFuture

/** One bucket of a request, with the limit that rules it; neither a limit nor permits where a bucket is only to be forgotten. */
internal class Item(
    @JvmField val key: String,
    @JvmField val limit: RedisLimit?,
    @JvmField val permits: Long,
)

internal enum class Operation(
    val word: String,
) {
    ACQUIRE("acquire"),
    PEEK("peek"),
    ADJUST("adjust"),
    RESET("reset"),
}

/** One question to the script. [answer] is the result of the deciding limit; null for operations that decide nothing. */
internal class Request(
    @JvmField val operation: Operation,
    @JvmField val items: List<Item>,
    @JvmField val maxDelayNanos: Long = Long.MAX_VALUE,
) {
    val answer = CompletableFuture<RateLimitResult?>()
}

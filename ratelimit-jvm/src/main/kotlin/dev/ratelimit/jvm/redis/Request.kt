package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimitStoreException
import java.util.concurrent.CompletableFuture

/** One bucket of a request, with the limit that rules it; neither a limit nor permits where a bucket is only to be forgotten. */
internal class Item(
    @JvmField val key: String,
    @JvmField val limit: RedisLimit?,
    @JvmField val permits: Long,
)

/** What the script can be asked; see store.lua. */
internal enum class Operation(
    val word: String,
) {
    ACQUIRE("acquire"),
    PEEK("peek"),
    TAKE("take"),
    RESERVE("reserve"),
    ADJUST("adjust"),
    RESET("reset"),
}

/**
 * One question to the script, and whoever waits for the answer. It is answered once: by Redis, or because Redis did not in time.
 *
 * @param read makes the answer out of the script's
 * @param instead makes it when Redis cannot; may throw
 * @param late is given what Redis answers all the same, and what was answered instead, if anything
 * @param owner whose turns they are that are asked for or given back, in hexadecimal digits; empty where it is not about turns
 */
internal class Request<T>(
    @JvmField val operation: Operation,
    @JvmField val items: List<Item>,
    @JvmField val maxDelayNanos: Long,
    @JvmField val count: Long,
    private val read: (Answer) -> T,
    private val instead: (RateLimitStoreException) -> T,
    private val late: (T, T?) -> Unit = { _, _ -> },
    @JvmField val owner: String = "",
) {
    val answer = CompletableFuture<T>()

    /** When it was asked; see [Deadlines]. */
    @JvmField val bornAt: Long = System.nanoTime()

    fun succeed(told: Answer) {
        val value = read(told)
        if (!answer.complete(value)) late(value, if (answer.isCompletedExceptionally) null else answer.join())
    }

    @Suppress("TooGenericExceptionCaught")
    fun fail(cause: RateLimitStoreException) {
        if (answer.isDone) return
        try {
            answer.complete(instead(cause))
        } catch (e: Throwable) {
            answer.completeExceptionally(e)
        }
    }
}

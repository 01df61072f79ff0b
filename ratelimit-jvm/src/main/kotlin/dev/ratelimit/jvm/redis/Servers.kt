package dev.ratelimit.jvm.redis

import java.util.concurrent.CompletionStage

/** The servers that hold the buckets. A slot is what one call of the script can reach. */
internal interface Servers {
    val slots: Int

    fun slotOf(key: String): Int

    /** Something in the braces of a key that makes it one of [slot]. */
    fun tagOf(slot: Int): String

    /** Runs [action] where [slot] is; the flag says whether it has to ask for it (ASKING). */
    fun <T> call(
        slot: Int,
        action: (Link, Boolean) -> CompletionStage<T>,
    ): CompletionStage<T>

    /** Looks for servers that owe an answer for too long. */
    fun look()

    fun close()
}

/** One server, or the master that Sentinel names. */
internal class OneServer(
    val node: Node,
    private val onClose: () -> Unit,
) : Servers {
    override val slots: Int get() = 1

    override fun slotOf(key: String): Int = 0

    override fun tagOf(slot: Int): String = "all"

    override fun <T> call(
        slot: Int,
        action: (Link, Boolean) -> CompletionStage<T>,
    ): CompletionStage<T> = node.call { action(it, false) }

    override fun look() = node.look()

    override fun close() {
        // In this order, as Lettuce warns of a connection that is closed twice.
        node.close().whenComplete { _, _ -> onClose() }
    }
}

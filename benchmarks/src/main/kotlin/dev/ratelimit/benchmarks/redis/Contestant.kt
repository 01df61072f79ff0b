package dev.ratelimit.benchmarks.redis

import java.util.concurrent.CompletionStage
import java.util.concurrent.TimeUnit

/** One way to have something decided by Redis, on connections of its own. [A] is how it answers. */
internal interface Contestant<A> : AutoCloseable {
    /** Asks for one permit of the [key]-th bucket, without waiting for the answer. */
    fun ask(key: Int): CompletionStage<A>

    fun isAllowed(answer: A): Boolean

    /** As [ask], by a thread that waits for the answer. */
    fun decide(key: Int): Boolean = isAllowed(ask(key).toCompletableFuture().get(SECONDS_TO_ANSWER, TimeUnit.SECONDS))

    override fun close() = Unit

    private companion object {
        const val SECONDS_TO_ANSWER = 30L
    }
}

/** A contestant by its name in the table, and how to have it play a [Scenario]. Whoever [decides] nothing is asked no right answers. */
internal class Entry(
    val name: String,
    val decides: Boolean = true,
    val make: (Field, Scenario) -> Contestant<*>,
)

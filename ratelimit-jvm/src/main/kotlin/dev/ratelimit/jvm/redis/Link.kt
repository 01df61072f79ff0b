package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.store.unwrapped
import io.lettuce.core.RedisChannelHandler
import io.lettuce.core.RedisConnectionStateListener
import io.lettuce.core.RedisNoScriptException
import io.lettuce.core.api.StatefulRedisConnection
import io.lettuce.core.codec.StringCodec
import io.lettuce.core.output.CommandOutput
import io.lettuce.core.output.StatusOutput
import io.lettuce.core.protocol.AsyncCommand
import io.lettuce.core.protocol.Command
import io.lettuce.core.protocol.CommandArgs
import io.lettuce.core.protocol.CommandType
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicBoolean

/**
 * One connection to one server. When it is lost, so is what was under way on it, at once: nothing is sent a second time, because it may
 * have been done the first time.
 */
internal class Link(
    private val connection: StatefulRedisConnection<String, String>,
) {
    private val underWay: MutableSet<Owed<*>> = ConcurrentHashMap.newKeySet()
    private val isClosed = AtomicBoolean()
    private val ended = CompletableFuture<Unit>()

    @Volatile
    private var retirement: Retirement? = null

    /** Told when the server goes away. */
    @Volatile
    var onLost: (Link) -> Unit = {}

    init {
        connection.addListener(
            object : RedisConnectionStateListener {
                override fun onRedisDisconnected(connection: RedisChannelHandler<*, *>) {
                    onLost(this@Link)
                    close()
                }
            },
        )
    }

    val isOpen: Boolean get() = connection.isOpen

    /** Since when the server owes an answer; null when it owes none. */
    fun waitingSince(): Long? = underWay.minOfOrNull { it.since }

    /**
     * Runs [script] with [arguments], which are given its name or its text. A server that does not know it is told it with this very call.
     *
     * @param late is given an answer that came after the connection was [retired][retire], when the stage has failed already
     */
    fun <T> run(
        script: Script,
        arguments: (String) -> CommandArgs<String, String>,
        output: () -> CommandOutput<String, String, T>,
        isAsking: Boolean = false,
        late: (T) -> Unit = {},
    ): CompletionStage<T> {
        val owed = Owed(late)

        fun tell() = send(owed, isAsking, { AsyncCommand(Command(CommandType.EVAL, output(), arguments(script.text))) }, ::finish)
        send(owed, isAsking, { AsyncCommand(Command(CommandType.EVALSHA, output(), arguments(script.digest))) }) { _, answer, failure ->
            if (failure is RedisNoScriptException && !owed.isDone) tell() else finish(owed, answer, failure)
        }
        return owed
    }

    /** A command that answers with text, such as INFO. */
    fun ask(
        command: CommandType,
        vararg words: String,
    ): CompletionStage<String> {
        val args = CommandArgs(StringCodec.UTF8)
        words.forEach { args.add(it) }
        return Owed<String> {}.also { owed ->
            send(owed, false, { AsyncCommand(Command(command, StatusOutput(StringCodec.UTF8), args)) }, ::finish)
        }
    }

    @Suppress("TooGenericExceptionCaught")
    private fun <T> send(
        owed: Owed<T>,
        isAsking: Boolean,
        command: () -> AsyncCommand<String, String, T>,
        then: (Owed<T>, T?, Throwable?) -> Unit,
    ) {
        underWay += owed
        // Looked at after it was added: either this sees that the connection retires, or that sees what was added.
        retirement?.let { return finish(owed, null, it.cause) }
        try {
            val call = command()
            call.whenComplete { answer, failure -> then(owed, answer, failure.unwrapped()) }
            // Together, so that nothing of another thread comes between.
            if (isAsking) connection.dispatch(listOf(asking(owed), call)) else connection.dispatch(call)
        } catch (e: Throwable) {
            finish(owed, null, e)
        }
    }

    /** Who may not ask is told that, not where the server sends everybody else. */
    private fun asking(owed: Owed<*>) =
        AsyncCommand(Command(CommandType.ASKING, StatusOutput(StringCodec.UTF8), CommandArgs<String, String>(StringCodec.UTF8)))
            .also { it.whenComplete { _, failure -> if (failure != null) finish(owed, null, failure.unwrapped()) } }

    private fun <T> finish(
        owed: Owed<T>,
        answer: T?,
        failure: Throwable?,
    ) {
        underWay -= owed
        when {
            failure != null -> owed.completeExceptionally(failure)
            // Whoever asked was told otherwise; that can be set right where the server is asked again.
            !owed.complete(answer) -> retirement?.whenBack?.invoke { owed.late(checkNotNull(answer)) }
        }
        owed.settled.complete(Unit)
    }

    /**
     * Nothing is sent any more, and nobody waits any longer. The connection ends once what is under way has been answered, or after a
     * while: late answers are better than none.
     *
     * @param whenBack does something with a late answer, once the server is back
     */
    fun retire(
        cause: RateLimitStoreException,
        whenBack: (() -> Unit) -> Unit,
    ) {
        retirement = Retirement(cause, whenBack)
        val owed = underWay.toList()
        owed.forEach { it.completeExceptionally(cause) }
        CompletableFuture
            .allOf(*owed.map { it.settled }.toTypedArray())
            .orTimeout(SECONDS_TO_RETIRE, TimeUnit.SECONDS)
            .whenComplete { _, _ -> close() }
    }

    /** Ends the connection and everything on it; completes when it has ended. */
    fun close(): CompletionStage<*> {
        if (!isClosed.compareAndSet(false, true)) return ended
        val cause = RateLimitStoreException("the connection to Redis has ended", null)
        if (retirement == null) retirement = Retirement(cause) {}
        connection.closeAsync().whenComplete { _, _ -> ended.complete(Unit) }
        underWay.forEach { finish(it, null, cause) }
        return ended
    }

    private class Retirement(
        val cause: RateLimitStoreException,
        val whenBack: (() -> Unit) -> Unit,
    )

    /** What the server owes an answer to; fails before that comes if the server is given up. */
    private class Owed<T>(
        val late: (T) -> Unit,
    ) : CompletableFuture<T>() {
        val since: Long = System.nanoTime()

        /** Nothing more comes from the server. */
        val settled = CompletableFuture<Unit>()
    }

    private companion object {
        const val SECONDS_TO_RETIRE = 30L
    }
}

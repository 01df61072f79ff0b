package dev.ratelimit.jvm.redis

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
import java.util.concurrent.CompletionException
import java.util.concurrent.CompletionStage
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.TimeUnit

/**
 * One connection to one server. When it is lost, so is what was under way on it, at once: nothing is sent a second time, because it may
 * have been done the first time.
 */
internal class Link(
    private val connection: StatefulRedisConnection<String, String>,
) {
    private val underWay: MutableSet<Call<*>> = ConcurrentHashMap.newKeySet()

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
    fun waitingSince(): Long? = underWay.minOfOrNull { it.sentAt }

    /** Runs [script] with [arguments], which are given its name or its text. A server that does not know it is told it with this very call. */
    fun <T> run(
        script: Script,
        arguments: (String) -> CommandArgs<String, String>,
        output: () -> CommandOutput<String, String, T>,
        isAsking: Boolean = false,
    ): CompletionStage<T> =
        send(Call(CommandType.EVALSHA, output(), arguments(script.digest)), isAsking)
            .handle { answer, failure ->
                if (failure.unwrapped() is RedisNoScriptException) {
                    send(Call(CommandType.EVAL, output(), arguments(script.text)), isAsking)
                } else {
                    finished(answer, failure)
                }
            }.thenCompose { it }

    /** A command that answers with text, such as INFO. */
    fun ask(
        command: CommandType,
        vararg words: String,
    ): CompletionStage<String> {
        val args = CommandArgs(StringCodec.UTF8)
        words.forEach { args.add(it) }
        return send(Call(command, StatusOutput(StringCodec.UTF8), args), false)
    }

    private fun <T> send(
        call: Call<T>,
        isAsking: Boolean,
    ): CompletableFuture<T> {
        underWay += call
        call.whenComplete { _, _ -> underWay -= call }
        if (isAsking) {
            // Together, so that nothing of another thread comes between.
            connection.dispatch(listOf(Call(CommandType.ASKING, StatusOutput(StringCodec.UTF8), CommandArgs(StringCodec.UTF8)), call))
        } else {
            connection.dispatch(call)
        }
        return call
    }

    private fun <T> finished(
        answer: T?,
        failure: Throwable?,
    ): CompletionStage<T> =
        if (failure == null) CompletableFuture.completedFuture(answer) else CompletableFuture.failedFuture(failure.unwrapped())

    /** Ends the connection and everything on it. */
    fun close() {
        connection.closeAsync()
        underWay.forEach { it.cancel() }
    }

    /** Ends the connection once what is under way has been answered, or after a while: late answers are better than none. */
    fun retire() {
        val calls = underWay.toTypedArray<CompletableFuture<*>>()
        CompletableFuture.allOf(*calls).orTimeout(SECONDS_TO_RETIRE, TimeUnit.SECONDS).whenComplete { _, _ -> close() }
    }

    private class Call<T>(
        type: CommandType,
        output: CommandOutput<String, String, T>,
        args: CommandArgs<String, String>,
    ) : AsyncCommand<String, String, T>(Command(type, output, args)) {
        val sentAt: Long = System.nanoTime()
    }

    private companion object {
        const val SECONDS_TO_RETIRE = 30L
    }
}

internal fun Throwable?.unwrapped(): Throwable? = if (this is CompletionException) cause ?: this else this

package dev.ratelimit.jvm.redis

import io.lettuce.core.RedisNoScriptException
import io.lettuce.core.ScriptOutputType
import io.lettuce.core.api.async.RedisScriptingAsyncCommands
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionException
import java.util.concurrent.CompletionStage

/** A connection that runs the script, wherever its keys live. */
internal class Link(
    private val commands: RedisScriptingAsyncCommands<String, String>,
) {
    /** A server that does not know the script is told it, with this very call. */
    fun call(batch: Batch): CompletionStage<List<Long>> =
        commands
            .evalsha<List<Long>>(Script.digest, ScriptOutputType.MULTI, batch.keys, *batch.arguments)
            .handle { answer, failure ->
                if (failure.unwrapped() is RedisNoScriptException) {
                    commands.eval<List<Long>>(Script.text, ScriptOutputType.MULTI, batch.keys, *batch.arguments)
                } else {
                    finished(answer, failure)
                }
            }.thenCompose { it }

    private fun finished(
        answer: List<Long>?,
        failure: Throwable?,
    ): CompletionStage<List<Long>> = if (failure == null) CompletableFuture.completedFuture(answer) else CompletableFuture.failedFuture(failure.unwrapped())
}

internal fun Throwable?.unwrapped(): Throwable? = if (this is CompletionException) cause ?: this else this

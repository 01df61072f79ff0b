package dev.ratelimit.samples

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.seconds

fun main(args: Array<String>) {
    val run = CoroutineScope(Dispatchers.Default).async { DownloadCommand().exitCode(args.asList()) }
    Runtime.getRuntime().addShutdownHook(Thread { stop(run) })
    val exitCode =
        try {
            runBlocking { run.await() }
        } catch (ignored: CancellationException) {
            // There is nothing to say: the JVM ends with 130 as soon as the hook is through.
            return
        }
    exitProcess(exitCode)
}

/** Ctrl-C: the downloads put their files in order and say what they leave. At the usual end there is nothing to do. */
private fun stop(run: Deferred<Int>) {
    run.cancel()
    runBlocking { withTimeoutOrNull(5.seconds) { run.join() } }
}

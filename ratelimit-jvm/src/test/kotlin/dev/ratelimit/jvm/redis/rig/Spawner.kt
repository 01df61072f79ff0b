package dev.ratelimit.jvm.redis.rig

import java.io.File
import java.io.IOException
import java.util.concurrent.Callable
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit

/**
 * Starts processes that also end when this JVM is killed, where the system has `setpriv`: the kernel then ends a child with the
 * thread that started it, so one thread that never ends starts them all. Elsewhere the shutdown hook has to do.
 */
internal object Spawner {
    private const val SECONDS = 10L
    private val thread = Executors.newSingleThreadExecutor { Thread(it, "redis-rig").apply { isDaemon = true } }
    private val endWithUs = listOf("setpriv", "--pdeathsig", "KILL")

    val endsItsOwn: Boolean by lazy { succeeds(endWithUs + "true") }

    fun start(
        command: List<String>,
        log: File,
    ): Process = start(command) { redirectErrorStream(true).redirectOutput(log) }

    fun start(
        command: List<String>,
        streams: ProcessBuilder.() -> Unit,
    ): Process {
        val whole = if (endsItsOwn) endWithUs + command else command
        val builder = ProcessBuilder(whole).apply(streams)
        return thread.submit(Callable { builder.start() }).get(SECONDS, TimeUnit.SECONDS)
    }

    fun succeeds(command: List<String>): Boolean =
        try {
            val quiet = ProcessBuilder.Redirect.DISCARD
            val process = ProcessBuilder(command).redirectOutput(quiet).redirectError(quiet).start()
            process.waitFor(SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0
        } catch (ignored: IOException) {
            false
        }
}

package dev.ratelimit.samples.server

import com.github.ajalt.clikt.command.SuspendingCliktCommand
import com.github.ajalt.clikt.command.main
import com.github.ajalt.clikt.core.Context
import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.core.terminal
import com.github.ajalt.clikt.parameters.options.convert
import com.github.ajalt.clikt.parameters.options.default
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.help
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.types.int
import com.github.ajalt.clikt.parameters.types.restrictTo
import kotlin.time.Duration

/** Protects an API, and shows it. */
internal class ServerCommand : SuspendingCliktCommand(name = "demo-server") {
    private val isInMemory: Boolean by option("--memory")
        .flag()
        .help("One instance that keeps its limits in memory, instead of two behind a Redis of the demo's own.")

    private val port: Int? by option("--port", metavar = "PORT")
        .int()
        .restrictTo(1..65_534)
        .help("The first instance listens here, the second at the next port. (default: free ones)")

    private val duration: Duration by option("--for", metavar = "TIME")
        .convert("TIME") { text -> Duration.parseOrNull(text)?.takeIf { it.isPositive() } ?: fail("write for example 30s or 5m") }
        .default(Duration.INFINITE)
        .help("End after TIME, for example 30s, with the exit code 1 if the limits did not hold. (default: until Ctrl-C)")

    override fun help(context: Context) =
        """
        Starts an API server in two instances behind one Redis, with limits by address, by API key and for all, and callers who misbehave:
        a scraper, guessers of passwords, one who forges X-Forwarded-For. It needs no network. Open a dashboard to look on and to steer.
        """.trimIndent()

    override suspend fun run() {
        val ports = port?.let { listOf(it, it + 1) }.orEmpty()
        if (!ServerDemo(terminal, !isInMemory, ports, duration).run()) throw ProgramResult(1)
    }
}

internal object ServerMain {
    @JvmStatic
    fun main(args: Array<String>) = kotlinx.coroutines.runBlocking { ServerCommand().main(args) }
}

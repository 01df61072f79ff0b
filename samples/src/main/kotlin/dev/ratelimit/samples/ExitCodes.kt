package dev.ratelimit.samples

import com.github.ajalt.clikt.command.parse
import com.github.ajalt.clikt.core.CliktError
import com.github.ajalt.clikt.core.UsageError
import dev.ratelimit.ktor.client.DownloadFailure

/** What the process says at its end: wget's numbers, where wget has one. */
internal object ExitCodes {
    const val OTHER = 1
    const val USAGE = 2
    const val FILE = 3
    const val NETWORK = 4
    const val PROTOCOL = 7
    const val REFUSED = 8

    val HELP =
        """
        Exit codes: 0 all is well; 1 the limiter failed (in the demo: the limit was exceeded); 2 the command line is wrong; 3 a file
        cannot be written; 4 the network failed; 7 an answer made no sense; 8 the server refused; 130 Ctrl-C. Of several, the lowest.
        """.trimIndent()

    /** That of several failures is the lowest. */
    fun of(failures: List<DownloadFailure>): Int = failures.minOfOrNull(::of) ?: 0

    fun of(failure: DownloadFailure): Int =
        when (failure) {
            DownloadFailure.EXISTS, DownloadFailure.BUSY, DownloadFailure.FILE -> FILE
            DownloadFailure.NETWORK, DownloadFailure.TOO_SHORT -> NETWORK
            DownloadFailure.TOO_LONG, DownloadFailure.PROTOCOL, DownloadFailure.DIGEST -> PROTOCOL
            DownloadFailure.REFUSED -> REFUSED
            DownloadFailure.LIMIT -> OTHER
        }
}

/** Runs the command line; see the help for the exit codes. */
internal suspend fun DownloadCommand.exitCode(args: List<String>): Int =
    try {
        parse(args)
        0
    } catch (e: CliktError) {
        echoFormattedHelp(e)
        if (e is UsageError) ExitCodes.USAGE else e.statusCode
    }

package dev.ratelimit.samples

import com.github.ajalt.clikt.core.terminal
import com.github.ajalt.mordant.rendering.AnsiLevel
import com.github.ajalt.mordant.terminal.Terminal
import com.github.ajalt.mordant.terminal.TerminalRecorder

/** What came of one run of the downloader. */
internal class Run(
    val exitCode: Int,
    val out: String,
    val err: String,
)

/** Runs the downloader with [args], as `main` would; [isTerminal] tells whether its output is one. */
internal suspend fun run(vararg args: String, isTerminal: Boolean = false, stdin: String = ""): Run {
    val recorder = TerminalRecorder(if (isTerminal) AnsiLevel.ANSI16 else AnsiLevel.NONE, width = 200, outputInteractive = isTerminal)
    val command = DownloadCommand(stdin.byteInputStream())
    command.configureContext { terminal = Terminal(terminalInterface = recorder) }
    val exitCode = command.exitCode(args.asList())
    return Run(exitCode, recorder.stdout(), recorder.stderr())
}

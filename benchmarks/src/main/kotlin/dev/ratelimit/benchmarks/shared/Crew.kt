package dev.ratelimit.benchmarks.shared

import java.io.BufferedReader
import java.io.Writer
import kotlin.io.path.Path

/**
 * Several JVMs that do the same work on one store at the same time, round after round. Each says when it is ready, and starts a round
 * at a word.
 */
internal class Crew(
    work: Work,
    place: String,
    millis: Long,
) : AutoCloseable {
    private class Member(
        private val process: Process,
    ) {
        private val words: Writer = process.outputWriter()
        private val answers: BufferedReader = process.inputReader()

        init {
            // Also when the run is interrupted.
            Runtime.getRuntime().addShutdownHook(Thread { process.destroyForcibly() })
        }

        fun say(word: String) {
            words.write("$word\n")
            words.flush()
        }

        fun answer(): String = checkNotNull(answers.readLine()) { "a process ended with ${process.waitFor()}; see above" }

        /** It ends by itself when nobody can tell it anything any more. */
        fun end() = words.close()
    }

    // One after another: four JVMs that begin together on a few cores hold each other up for longer than a client waits for its server.
    private val members =
        List(COUNT) { number ->
            val command = listOf("$JAVA", "-XX:+UseSerialGC", "-Xmx256m", "-cp", System.getProperty("java.class.path"), CHILD)
            val started = ProcessBuilder(command + listOf(work.name, place, "$number", "$millis"))
            val member = Member(started.redirectError(ProcessBuilder.Redirect.INHERIT).start())
            member.answer().let { check(it == READY) { "a process said '$it'" } }
            member
        }

    /** The checks a second of all together. */
    fun round(): Double {
        members.forEach { it.say(GO) }
        return members.sumOf { it.answer().toDouble() }
    }

    override fun close() = members.forEach { it.end() }

    internal companion object {
        const val COUNT = 4
        const val READY = "ready"
        private const val GO = "go"
        private const val CHILD = "dev.ratelimit.benchmarks.shared.CrewMemberKt"
        val JAVA = Path(System.getProperty("java.home"), "bin", "java")
    }
}

package dev.ratelimit.jvm.shared.rig

import dev.ratelimit.jvm.redis.rig.Spawner
import java.io.BufferedReader
import java.io.File
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.io.path.deleteIfExists
import kotlin.io.path.readText

/** A child JVM in the hand of the test, with its [tally] in [folder]. */
internal class Child private constructor(
    folder: SharedFolder,
    private val process: Process,
    private val number: Int,
) : AutoCloseable {
    private val answers: BufferedReader = process.inputReader()
    private val tallyFile: Path = folder.file("child-$number.tally")
    private val errorFile = errorFile(folder, number)
    private val errors get() = errorFile.readText()
    private var awaited = 0

    val tally = Tally(tallyFile)

    /** Says [command] and does not wait for the answer. */
    fun tell(vararg command: Any) {
        process.outputStream.run {
            write((command.joinToString("\t") + "\n").toByteArray())
            flush()
        }
        awaited++
    }

    /** The answer to the first command that has not been answered. */
    fun answer(): String {
        awaited--
        val line = answers.readLine() ?: error("child $number has ended: $errors")
        check(!line.startsWith("failed")) { "child $number: $line: $errors" }
        return line
    }

    fun ask(vararg command: Any): String {
        tell(*command)
        while (awaited > 1) answer()
        return answer()
    }

    fun work(
        kind: String,
        from: Long,
        until: Long,
        vararg numbers: Long,
    ) {
        ask("work", kind, tallyFile, from, until, *numbers.toTypedArray())
    }

    /** Whether it has answered so many calls; a child that has failed is not waited for. */
    fun hasAnswered(calls: Long): Boolean {
        check(process.isAlive && tally[Tally.FAILURES] == 0L) { "child $number failed: $errors" }
        return tally[Tally.ANSWERS] >= calls
    }

    /** Ends its work; throws if that has failed. */
    fun stop() {
        ask("stop")
        check(tally[Tally.FAILURES] == 0L) { "child $number failed: $errors" }
    }

    /** The handle knows no other signals; the system's command does. */
    fun signal(name: String) {
        check(process.isAlive) { "child $number has ended: $errors" }
        check(Spawner.succeeds(listOf("kill", "-$name", process.pid().toString()))) { "kill -$name failed" }
    }

    /** As kill -9. */
    fun kill() {
        process.destroyForcibly()
        check(process.waitFor(SECONDS, TimeUnit.SECONDS)) { "child $number survives being killed" }
        answers.close()
    }

    /** What it has said that it should not have; empty if all went well. */
    val complaints: String get() = errors

    override fun close() {
        kill()
        tallyFile.deleteIfExists()
        errorFile.deleteIfExists()
    }

    companion object {
        private const val SECONDS = 60L
        private val numbers = AtomicInteger()
        private val launcher = Path.of(System.getProperty("java.home"), "bin", "java").toString()
        private val quickly = listOf("-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx64m", "-XX:-UsePerfData") +
            listOf("-XX:+UnlockDiagnosticVMOptions", "-XX:-BytecodeVerificationRemote")

        /** What a child needs; the fewer jars, the sooner it is there. */
        private val needed = listOf("kotlin-stdlib", "kotlinx-coroutines-core", "slf4j-api", "ratelimit-api", "jspecify", "annotations")

        private val classPath =
            System.getProperty("java.class.path").split(File.pathSeparator).filter { entry ->
                val name = entry.substringAfterLast(File.separator)
                !name.endsWith(".jar") || needed.any { name.startsWith(it) }
            }.joinToString(File.pathSeparator)

        private fun errorFile(
            folder: SharedFolder,
            number: Int,
        ) = folder.file("child-$number.errors")

        /** Starts a child, of low priority if [isHumble]; it is not waited for. */
        fun start(
            folder: SharedFolder,
            isHumble: Boolean = false,
        ): Child {
            val number = numbers.incrementAndGet()
            val nice = if (isHumble) listOf("nice", "-n", "10") else emptyList()
            val command = nice + launcher + quickly + listOf("-cp", classPath, ChildMain::class.java.name)
            val process =
                Spawner.start(command) { redirectError(errorFile(folder, number).toFile()) }
            return Child(folder, process, number).apply { awaited = 1 }
        }
    }
}

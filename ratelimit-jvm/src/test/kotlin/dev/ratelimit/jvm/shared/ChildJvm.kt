package dev.ratelimit.jvm.shared

import java.io.File
import java.io.OutputStream
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlin.reflect.KClass

/** A JVM of the tests' class path. It is told to end by the end of its input, so it also ends when this one is killed. */
internal class ChildJvm(
    main: KClass<*>,
    arguments: List<String>,
    options: List<String> = emptyList(),
    prefix: List<String> = emptyList(),
    classPath: String = CLASS_PATH,
) : AutoCloseable {
    private val log: File = File.createTempFile("child", ".log").apply { deleteOnExit() }
    val process: Process =
        ProcessBuilder(prefix + JAVA + options + listOf("-cp", classPath, main.java.name) + arguments)
            .redirectErrorStream(true)
            .redirectOutput(log)
            .start()

    /** All that it has said. */
    val said: List<String> get() = log.readLines()

    val isAlive: Boolean get() = process.isAlive

    fun await(line: String) = await("'$line' of a child that said\n${said.takeLast(LAST)}") { line in said }

    fun await(
        what: String,
        condition: () -> Boolean,
    ) {
        val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS)
        while (!condition()) {
            check(isAlive) { "the child ended with ${process.exitValue()} before $what: ${said.takeLast(LAST)}" }
            check(System.nanoTime() - end < 0) { "not in $SECONDS s: $what: ${said.takeLast(LAST)}" }
            Thread.sleep(POLL_MILLIS)
        }
    }

    /** Waits until it has ended by itself, and tells how. */
    fun ended(): Int {
        check(process.waitFor(SECONDS, TimeUnit.SECONDS)) { "still there after $SECONDS s: ${said.takeLast(LAST)}" }
        return process.exitValue()
    }

    override fun close() {
        process.outputStream.close()
        if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) process.destroyForcibly().waitFor()
        log.delete()
    }

    companion object {
        val JAVA: String = Path.of(System.getProperty("java.home"), "bin", "java").toString()
        val CLASS_PATH: String = System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path")
        private const val SECONDS = 60L
        private const val POLL_MILLIS = 5L
        private const val LAST = 20

        /** In the child: ends it with the one that started it. */
        fun endWithParent() {
            thread(isDaemon = true) {
                System.`in`.transferTo(OutputStream.nullOutputStream())
                Runtime.getRuntime().halt(0)
            }
        }
    }
}

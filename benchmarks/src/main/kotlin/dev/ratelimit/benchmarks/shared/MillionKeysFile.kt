package dev.ratelimit.benchmarks.shared

import dev.ratelimit.RateLimit
import dev.ratelimit.benchmarks.Figure
import dev.ratelimit.benchmarks.Keys
import dev.ratelimit.benchmarks.redis.median
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.SharedMemoryStore
import java.nio.file.Path
import java.time.Duration
import kotlin.io.path.fileSize

/**
 * A file with a million keys in use: what a key takes of it, and how long a new process needs to open it. Arguments: the file for the
 * figures; how many processes open it.
 */
fun main(args: Array<String>) {
    val path = SharedFolder.path()
    val kept = fill(path)
    val small = SharedFolder.path()
    SharedMemoryStore.open(small, 1).close()
    // In turns: most of what a new JVM takes is the loading of classes, the logger's above all, and that wants to be told apart.
    val openings = List(args[1].toInt()) { opening(path) to opening(small) }
    val again = List(MANY_OPENINGS) { reopening(path) }.drop(MANY_OPENINGS / 2)
    Figure.report(
        args.take(1).toTypedArray(),
        listOf(
            Figure(
                "bytes of file a key, beyond the 16 of its hash",
                path.fileSize().toDouble() / Keys.COUNT - HASH_BYTES,
                "",
                atMost = 64.0,
            ),
            Figure("  keys of a million that have kept their bucket", kept.toDouble(), "", atLeast = Keys.COUNT.toDouble()),
            Figure("opening a million keys", again.median(), "ms", atMost = 100.0),
            Figure("  as the first thing that a new JVM does", openings.map { it.first }.median(), "ms"),
            Figure("  as many ms longer than for a file of one key", openings.map { it.first - it.second }.median(), "ms", atMost = 100.0),
        ),
    )
}

private fun fill(path: Path): Int =
    SharedMemoryStore.open(path, Keys.COUNT).use { store ->
        val limiter = KeyedRateLimiter<String>("users", RateLimit.tokenBucket(100_000, Duration.ofDays(10)), store = store)
        for (key in Keys.many()) check(limiter[key].tryAcquire().isAllowed) { "a first permit was denied" }
        store.size
    }

/** The milliseconds that opening took in a process of its own. */
private fun opening(path: Path): Double {
    val command = listOf("${Crew.JAVA}", "-cp", System.getProperty("java.class.path"), "dev.ratelimit.benchmarks.shared.OpeningKt", "$path")
    val process = ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start()
    return process.inputReader().readText().trim().toDouble()
}

private fun reopening(path: Path): Double {
    val start = System.nanoTime()
    val store = SharedMemoryStore.open(path)
    val nanos = System.nanoTime() - start
    store.close()
    return nanos / NANOS_PER_MILLI
}

private const val HASH_BYTES = 16
private const val MANY_OPENINGS = 20
private const val NANOS_PER_MILLI = 1e6

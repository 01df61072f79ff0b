package dev.ratelimit.benchmarks.bandwidth

import dev.ratelimit.benchmarks.Figure
import dev.ratelimit.ktor.client.mebibytesPerSecond
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking

/** 10 MiB at 1 MiB a second, with a burst of 64 KiB: how long that takes, and the most bytes that a reader sees in any second. */
internal object PacedDownloads {
    private class Read(
        val at: Long,
        val bytes: Int,
    )

    fun run(
        server: BodyServer,
        parallel: Int,
    ): List<Figure> {
        val reads = Array(parallel) { ArrayList<Read>() }
        val seconds =
            client { bandwidth(1.mebibytesPerSecond.withBurst(BURST)) }.use { client ->
                val url = server.url(ALL / parallel)
                val start = System.nanoTime()
                val read =
                    runBlocking(Dispatchers.Default) {
                        List(parallel) { async { client.read(url) { count -> reads[it] += Read(System.nanoTime(), count) } } }.awaitAll()
                    }
                check(read.all { it == ALL / parallel }) { "the bodies were $read bytes" }
                (System.nanoTime() - start) / NANOS_PER_SECOND
            }
        val name = if (parallel == 1) "10 MiB at 1 MiB/s" else "$parallel x ${ALL / parallel / 1024} KiB at 1 MiB/s together"
        return listOf(
            Figure("$name: time", seconds, "s", atLeast = LEAST_SECONDS, atMost = MOST_SECONDS),
            Figure(
                "$name: most bytes in any second",
                mostInOneSecond(reads.flatMap { it }.sortedBy { it.at }).toDouble(),
                "",
                atMost = (RATE + BURST).toDouble(),
            ),
        )
    }

    /** The most in a window of one second, wherever it starts. */
    private fun mostInOneSecond(reads: List<Read>): Long {
        var most = 0L
        var inWindow = 0L
        var first = 0
        for (read in reads) {
            inWindow += read.bytes
            while (read.at - reads[first].at >= NANOS_PER_SECOND) inWindow -= reads[first++].bytes
            most = maxOf(most, inWindow)
        }
        return most
    }

    private const val RATE = 1024L * 1024
    private const val BURST = 64L * 1024
    private const val ALL = 10 * RATE
    private const val NANOS_PER_SECOND = 1e9

    /** (10 MiB - 64 KiB) / 1 MiB a second, in hundredths. */
    private const val LEAST_SECONDS = 9.9375
    private const val MOST_SECONDS = 10.5
}

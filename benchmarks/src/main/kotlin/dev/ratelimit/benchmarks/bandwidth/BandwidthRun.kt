package dev.ratelimit.benchmarks.bandwidth

import dev.ratelimit.benchmarks.Figure

/**
 * Limits of bytes a second on real downloads: whether the pace is right, and what a limit costs that is out of reach. Arguments: the file
 * for the figures; the number of rounds; the mebibytes of a download in each.
 */
fun main(args: Array<String>) {
    val rounds = args[1].toInt()
    val bytes = args[2].toLong() * BYTES_PER_MIB
    val figures =
        BodyServer().use { server ->
            // First, and so warm for what is about time.
            val throughput = Throughput.run(server, rounds, bytes)
            PacedDownloads.run(server, parallel = 1) + PacedDownloads.run(server, parallel = 8) + throughput
        }
    Figure.report(args.take(1).toTypedArray(), figures)
    check(figures.all { it.isMet }) { "promises were missed: ${figures.filterNot { it.isMet }}" }
}

private const val BYTES_PER_MIB = 1024L * 1024

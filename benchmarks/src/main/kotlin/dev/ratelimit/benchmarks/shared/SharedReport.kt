package dev.ratelimit.benchmarks.shared

import dev.ratelimit.benchmarks.Figure
import dev.ratelimit.benchmarks.report.JmhResult
import dev.ratelimit.benchmarks.report.Table
import dev.ratelimit.benchmarks.report.cell
import dev.ratelimit.benchmarks.report.decimal
import dev.ratelimit.benchmarks.report.others
import dev.ratelimit.benchmarks.report.verdict
import java.io.File

/** Prints what was measured of the shared file. The argument is the directory with the results, named as those of the other report. */
fun main(args: Array<String>) {
    val files = checkNotNull(File(args.single()).listFiles()) { "${args.single()} is not a directory" }.sorted()
    val results = files.filter { it.name.startsWith("jmh-") && it.extension == "json" }.flatMap(JmhResult::read)
    val figures = files.filter { it.name.startsWith("figures-") && it.extension == "json" }.flatMap(Figure::read)
    println("One process, one thread. Nanoseconds per call: median ± half the distance of the quartiles over all iterations and forks.")
    println()
    println(besideMemory(results))
    println()
    println("Medians over the rounds; ratios are taken within a round. Each process has one thread that asks; all work in turns.")
    println()
    println(others(figures))
}

private fun besideMemory(results: List<JmhResult>): Table {
    val table = Table("", "memory", "shared file", "x memory", "B/call", "promised")
    for (shared in results.filter { it.method == "shared" }) {
        val memory = results.first { it.method == "memory" && it.benchmark == shared.benchmark && it.params == shared.params }
        val ratio = shared.median / memory.median
        table.row(
            (listOf(TITLES.getValue(shared.benchmark)) + shared.params.map { it.lowercase() }).joinToString(),
            memory.cell(),
            shared.cell(),
            decimal(ratio, 2),
            shared.bytesPerCall?.let { decimal(it, 0) }.orEmpty(),
            "<= $MOST_TIMES_MEMORY x memory: ${verdict(ratio <= MOST_TIMES_MEMORY)}",
        )
    }
    return table
}

private val TITLES = mapOf("SharedHotBucket" to "one hot key", "SharedMillionKeys" to "a million keys")
private const val MOST_TIMES_MEMORY = 2.0

package dev.ratelimit.benchmarks.report

import dev.ratelimit.benchmarks.Figure
import java.io.File
import java.util.Locale

/**
 * Prints everything that was measured as one comparison. The argument is the directory with the results: JMH's are the files
 * `jmh-*.json`, those of the other programs `figures-*.json`.
 */
fun main(args: Array<String>) {
    val files = checkNotNull(File(args.single()).listFiles()) { "${args.single()} is not a directory" }.sorted()
    val results = files.filter { it.name.startsWith("jmh-") && it.extension == "json" }.flatMap(JmhResult::read)
    val figures = files.filter { it.name.startsWith("figures-") && it.extension == "json" }.flatMap(Figure::read)
    println("Nanoseconds per call: median ± half the distance of the quartiles over all iterations and forks.")
    println("Floor: System.nanoTime() and one compare-and-set. In brackets: times ours; then bytes allocated per call.")
    println()
    println(comparison(results))
    println()
    println("(1) Floor: ConcurrentHashMap<String, AtomicLong> and the same arithmetic by hand. Idle: every bucket is full again, and")
    println("    dropped, before its key comes back; the map drops nothing.")
    println("(2) Floor: tryAcquire() in the same loop.")
    println()
    println(others(figures))
}

private fun comparison(results: List<JmhResult>): Table {
    val table = Table("", "ours", "floor", "x floor", "B/call", "Bucket4j", "Resilience4j", "Guava", "Failsafe", "promised")
    for (line in Comparison.ALL) {
        val ours = line.resultOf("ours", results) ?: continue
        val floor = line.resultOf("floor", results)
        table.row(
            line.title,
            ours.cell(),
            floor?.cell().orEmpty(),
            floor?.let { decimal(ours.median / it.median, 2) }.orEmpty(),
            ours.bytesPerCall?.let { decimal(it, 0) }.orEmpty(),
            *Comparison.PEERS.map { peer -> line.resultOf(peer, results)?.peerCell(ours).orEmpty() }.toTypedArray(),
            line.verdicts(results).joinToString(", ") { (promise, isKept) -> "$promise: ${verdict(isKept)}" },
        )
    }
    return table
}

internal fun JmhResult.cell() = "${decimal(median, 1)} ±${decimal(spread, 1)}"

private fun JmhResult.peerCell(ours: JmhResult) =
    "${decimal(median, 1)} (${decimal(median / ours.median, 1)}x)" + bytesPerCall?.let { " ${decimal(it, 0)} B" }.orEmpty()

internal fun others(figures: List<Figure>): Table {
    val table = Table("", "measured", "promised")
    for (figure in figures) {
        val promise =
            when {
                figure.atMost != null -> "<= ${decimal(figure.atMost, 0)}: ${verdict(figure.isMet)}"
                figure.atLeast != null -> ">= ${decimal(figure.atLeast, 0)}: ${verdict(figure.isMet)}"
                else -> ""
            }
        table.row(figure.title, "${decimal(figure.value, 1)} ${figure.unit}".trim(), promise)
    }
    return table
}

internal fun verdict(isMet: Boolean) = if (isMet) "met" else "MISSED"

internal fun decimal(
    value: Double,
    places: Int,
) = String.format(Locale.ROOT, "%,.${places}f", value)

package dev.ratelimit.benchmarks.client

import dev.ratelimit.benchmarks.Figure
import dev.ratelimit.benchmarks.report.JmhResult
import java.io.File
import java.util.Locale

/** Prints what [PluginCost] found out, in the file that is the only argument: medians, and what comes on top of a client without plugin. */
internal fun main(args: Array<String>) {
    val results = JmhResult.read(File(args.single()))
    for (result in results) {
        val without = results.single { it.method == "withoutPlugin" && it.params == result.params }
        val added = Figure("", (result.median - without.median) / NANOS_PER_MICRO, "us", atMost = MOST_MICROS)
        val verdict = if (result.method != "withPlugin") {
            ""
        } else if (added.isMet) {
            "<= $MOST_MICROS: met"
        } else {
            "<= $MOST_MICROS: MISSED"
        }
        println(
            String.format(
                Locale.ROOT,
                "%-18s %6s hosts %8.1f us ± %.1f %+8.1f us %7.0f B  %s",
                result.method,
                result.params.single(),
                result.median / NANOS_PER_MICRO,
                result.spread / NANOS_PER_MICRO,
                added.value,
                result.bytesPerCall ?: Double.NaN,
                verdict,
            ),
        )
    }
}

private const val NANOS_PER_MICRO = 1000
private const val MOST_MICROS = 5.0

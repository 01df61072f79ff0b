package dev.ratelimit.benchmarks.server

import dev.ratelimit.benchmarks.report.JmhResult
import java.io.File
import java.util.Locale

/**
 * Prints what [ServerCost] found out, in the file that is the only argument: medians, and what comes on top of an application without
 * limits.
 */
internal fun main(args: Array<String>) {
    val results = JmhResult.read(File(args.single()))
    for (result in results.sortedBy { "${it.params} ${it.median}" }) {
        fun of(method: String) = results.single { it.method == method && it.params == result.params }
        val added = result.median - of("withoutPlugin").median
        val verdict =
            when (result.method) {
                "threeLimits" -> verdicts(
                    "<= 3 us" to (added <= MOST_ADDED),
                    "no slower than Ktor's with one" to (result.median <= of("ktorsPluginOneLimit").median),
                    "monitoring <= 5 %" to (result.median <= of("threeLimitsNoMonitoring").median * MOST_MONITORING),
                )
                "threeLimitsAmong500Rules" -> verdicts("matching <= 1 us" to (result.median - of("threeLimits").median <= MOST_MATCHING))
                else -> ""
            }
        println(
            String.format(
                Locale.ROOT,
                "%-26s %7s clients %8.2f us ± %.2f %+8.2f us %7.0f B  %s",
                result.method,
                result.params.single(),
                result.median / NANOS_PER_MICRO,
                result.spread / NANOS_PER_MICRO,
                added / NANOS_PER_MICRO,
                result.bytesPerCall ?: Double.NaN,
                verdict,
            ),
        )
    }
}

private fun verdicts(vararg targets: Pair<String, Boolean>) =
    targets.joinToString("; ") { (target, isMet) -> "$target: ${if (isMet) "met" else "MISSED"}" }

private const val NANOS_PER_MICRO = 1000
private const val MOST_ADDED = 3_000.0
private const val MOST_MATCHING = 1_000.0
private const val MOST_MONITORING = 1.05

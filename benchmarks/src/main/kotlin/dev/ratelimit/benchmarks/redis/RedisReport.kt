package dev.ratelimit.benchmarks.redis

import dev.ratelimit.benchmarks.report.Table
import java.util.Locale
import kotlin.math.abs

/** Prints what the rounds told. */
internal object RedisReport {
    fun throughput(results: Map<Scenario, Map<String, List<Sample>>>): String =
        results.entries.joinToString("\n\n") { (scenario, samples) ->
            val table = Table(scenario.title, "decisions/s", "±", "x PING", "x EVALSHA", "server us", "client us", "B", "")
            for ((name, own) in samples) {
                val speeds = own.map { it.perSecond }
                table.row(
                    name,
                    decimal(speeds.median(), 0),
                    decimal(speeds.map { abs(it - speeds.median()) }.median(), 0),
                    decimal(samples.ratio(name, Entries.PING), 3),
                    decimal(samples.ratio(name, Entries.PLAIN), 3),
                    decimal(own.map { it.serverMicros }.median(), 2),
                    decimal(own.map { it.clientMicros }.median(), 2),
                    decimal(own.map { it.bytes }.median(), 0),
                    "",
                )
            }
            "${table.toString().lines().joinToString("\n") { it.trimEnd() }}\npromised: " +
                Verdicts.of(scenario, samples).joinToString("\n          ")
        }

    fun singleCaller(
        scenario: Scenario,
        trips: Map<String, List<RoundTrips>>,
    ): String {
        val table = Table("one caller, ${scenario.title}", "p50 us", "p99 us", "x EVALSHA", "promised")
        for ((name, own) in trips) {
            val ratio = own.zip(trips.getValue(Entries.PLAIN)) { a, b -> a.quantile(MEDIAN) / b.quantile(MEDIAN) }.median()
            val promise = "<= ${Verdicts.SINGLE_CALLER} x EVALSHA: ${Verdicts.verdict(ratio <= Verdicts.SINGLE_CALLER)}"
            table.row(
                name,
                decimal(own.map { it.quantile(MEDIAN) }.median(), 1),
                decimal(own.map { it.quantile(NINETY_NINE) }.median(), 1),
                decimal(ratio, 3),
                if (name == Entries.OURS || name == Entries.OUR_BLOCKING) promise else "",
            )
        }
        return table.toString()
    }

    private const val MEDIAN = 0.5
    private const val NINETY_NINE = 0.99
}

internal fun decimal(
    value: Double,
    places: Int,
): String = String.format(Locale.ROOT, "%,.${places}f", value)

package dev.ratelimit.benchmarks.report

import com.fasterxml.jackson.databind.ObjectMapper
import java.io.File

/** What JMH found out about one method: the nanoseconds a call took in each iteration of all forks, and the bytes it allocated. */
internal class JmhResult(
    val benchmark: String,
    val method: String,
    val params: Collection<String>,
    val threads: Int,
    nanos: List<Double>,
    val bytesPerCall: Double?,
) {
    private val sorted = nanos.sorted()

    /** Half of the iterations were faster. The mean would mostly tell how often the machine had something else to do. */
    val median: Double get() = quantile(0.5)

    /** Half of the distance between the quartiles. */
    val spread: Double get() = (quantile(0.75) - quantile(0.25)) / 2

    private fun quantile(q: Double) = sorted[((sorted.size - 1) * q).toInt()]

    companion object {
        /** The results in a file that JMH wrote with `-rf json -prof gc`. */
        fun read(file: File): List<JmhResult> =
            ObjectMapper().readTree(file).map { result ->
                val (benchmark, method) = result["benchmark"].asText().split('.').takeLast(2)
                JmhResult(
                    benchmark,
                    method,
                    result["params"]?.map { it.asText() }.orEmpty(),
                    result["threads"].asInt(),
                    result["primaryMetric"]["rawData"].flatMap { fork -> fork.map { it.asDouble() } },
                    result["secondaryMetrics"]["gc.alloc.rate.norm"]?.get("score")?.asDouble(),
                )
            }
    }
}

package dev.ratelimit.benchmarks.bandwidth

import dev.ratelimit.RateLimit
import dev.ratelimit.benchmarks.Figure
import dev.ratelimit.ktor.client.bytesPerSecond
import dev.ratelimit.ktor.client.gibibytesPerSecond
import io.ktor.client.HttpClient
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking

/**
 * What limiting costs where the limit is out of reach: the same download with and without, in turn, so that whatever else the machine does
 * meets both. Compared is the median over the rounds of the ratio within each.
 */
internal object Throughput {
    fun run(
        server: BodyServer,
        rounds: Int,
        bytes: Long,
    ): List<Figure> {
        val clients =
            mapOf(
                NONE to client(),
                "1 GB/s" to limited(1_000_000_000.bytesPerSecond),
                "1,000 GiB/s" to limited(1_000.gibibytesPerSecond),
                "1,000 GiB/s for client, host and call" to
                    client {
                        bandwidth {
                            download {
                                total(1_000.gibibytesPerSecond)
                                perHost(1_000.gibibytesPerSecond)
                                perCall(1_000.gibibytesPerSecond)
                            }
                        }
                    },
            )
        try {
            val url = server.url(bytes)
            repeat(WARM_UP) { clients.values.forEach { speed(it, url) } }
            val speeds = clients.keys.associateWith { ArrayList<Double>() }
            repeat(rounds) { round ->
                // Each comes first as often as any other.
                val order = clients.entries.toList().let { it.drop(round % it.size) + it.take(round % it.size) }
                for ((name, client) in order) speeds.getValue(name) += speed(client, url)
            }
            return speeds.map { (name, measured) -> Figure("limit $name: throughput", measured.median(), "MB/s") } +
                (speeds - NONE).map { (name, measured) ->
                    val ratio = measured.zip(speeds.getValue(NONE)) { limited, free -> limited / free }.median()
                    Figure("limit $name: cost", (1 - ratio) * PER_CENT, "%", atMost = MOST_COST.takeIf { isOutOfReach(name, speeds) })
                }
        } finally {
            clients.values.forEach { it.close() }
        }
    }

    /** A limit that the machine reaches costs what it is there for. */
    private fun isOutOfReach(
        name: String,
        speeds: Map<String, List<Double>>,
    ) = name != "1 GB/s" || speeds.getValue(NONE).median() < GIGABYTE_IN_MB

    private fun limited(limit: RateLimit) = client { bandwidth(limit) }

    /** In millions of bytes a second. */
    private fun speed(
        client: HttpClient,
        url: String,
    ): Double {
        val start = System.nanoTime()
        val read = runBlocking(Dispatchers.Default) { client.read(url) }
        return read * NANOS_PER_MICRO / (System.nanoTime() - start)
    }

    private fun List<Double>.median(): Double = sorted().let { (it[(size - 1) / 2] + it[size / 2]) / 2 }

    private const val NONE = "none"
    private const val WARM_UP = 3
    private const val PER_CENT = 100.0
    private const val MOST_COST = 10.0
    private const val GIGABYTE_IN_MB = 1000.0
    private const val NANOS_PER_MICRO = 1e3
}

package dev.ratelimit.benchmarks.redis

/** What one round told about one contestant with many questions in flight. */
internal class Sample(
    val decisions: Long,
    nanos: Long,
    costs: Costs,
) {
    val perSecond: Double = decisions * NANOS_PER_SECOND / nanos

    /** Microseconds of processor time for each decision. */
    val clientMicros: Double = costs.clientNanos / NANOS_PER_MICRO / decisions
    val serverMicros: Double = costs.serverNanos / NANOS_PER_MICRO / decisions
    val bytes: Double = costs.bytes.toDouble() / decisions

    private companion object {
        const val NANOS_PER_SECOND = 1e9
        const val NANOS_PER_MICRO = 1e3
    }
}

/** The round trips of one caller in one round, in microseconds. */
internal class RoundTrips(
    nanos: LongArray,
) {
    private val sorted = nanos.sortedArray()

    fun quantile(q: Double): Double = sorted[((sorted.size - 1) * q).toInt()] / 1e3
}

internal fun List<Double>.median(): Double = sorted().let { (it[(it.size - 1) / 2] + it[it.size / 2]) / 2 }

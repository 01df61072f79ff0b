package dev.ratelimit.benchmarks.redis

/** What is promised of this library in a scenario, as ratios to others, with whether it was kept. */
internal object Verdicts {
    private class Promise(
        val text: String,
        val than: List<String>,
        val times: Double,
    )

    private val promises =
        mapOf(
            Scenario.MANY_KEYS to
                listOf(
                    Promise("Bucket4j", Entries.BUCKET4J, 3.0),
                    Promise("Redisson", Entries.REDISSON, 4.0),
                    Promise("EVALSHA", listOf(Entries.PLAIN), 1.6),
                    Promise("PING (aim)", listOf(Entries.PING), 1.0),
                ),
            Scenario.HOT_KEY_ALLOWED to listOf(Promise("PING", listOf(Entries.PING), 0.8)),
            Scenario.HOT_KEY_DENIED to listOf(Promise("PING", listOf(Entries.PING), 0.8)),
        )

    const val SINGLE_CALLER = 1.15

    /** Against the fastest of a peer's entries, whichever that is. */
    fun of(
        scenario: Scenario,
        samples: Map<String, List<Sample>>,
    ): List<String> =
        promises.getValue(scenario).map { promise ->
            val ratio = promise.than.minOf { samples.ratio(Entries.OURS, it) }
            ">= ${promise.times} x ${promise.text}: ${decimal(ratio, 2)} ${verdict(ratio >= promise.times)}"
        }

    fun verdict(isMet: Boolean) = if (isMet) "met" else "MISSED"
}

/** How many times as fast [name] was as [than]: the median over the rounds, of the ratio within each. */
internal fun Map<String, List<Sample>>.ratio(
    name: String,
    than: String,
): Double = getValue(name).zip(getValue(than)) { a, b -> a.perSecond / b.perSecond }.median()

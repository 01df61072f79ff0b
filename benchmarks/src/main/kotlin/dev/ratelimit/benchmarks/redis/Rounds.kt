package dev.ratelimit.benchmarks.redis

/**
 * Has all contestants play a scenario, one after another, round after round, so that what the machine does meanwhile hits all alike. The
 * first round only warms up.
 *
 * All run in one JVM, each on its own connection: a round trip costs microseconds here and there, what one contestant's profile does to
 * another's compiled code nanoseconds; and a JVM for each and every round would mostly measure how it warms up.
 */
internal class Rounds(
    private val field: Field,
    private val count: Int,
    private val millis: Long,
    private val warmUpMillis: Long,
) {
    fun throughput(scenario: Scenario): Map<String, List<Sample>> =
        play(scenario, Entries.THROUGHPUT) { entry, contestant, length -> flood(scenario, entry, contestant, length) }

    fun singleCaller(scenario: Scenario): Map<String, List<RoundTrips>> =
        play(scenario, Entries.SINGLE_CALLER) { _, contestant, length -> alone(scenario, contestant, length) }

    private fun <T> play(
        scenario: Scenario,
        entries: List<Entry>,
        measure: (Entry, Contestant<*>, Long) -> T,
    ): Map<String, List<T>> {
        field.forget()
        val contestants = entries.map { it to it.make(field, scenario) }
        try {
            contestants.forEach { (entry, contestant) -> measure(entry, contestant, warmUpMillis) }
            val rounds = List(count) { contestants.associate { (entry, contestant) -> entry.name to measure(entry, contestant, millis) } }
            return entries.associate { entry -> entry.name to rounds.map { it.getValue(entry.name) } }
        } finally {
            contestants.forEach { (_, contestant) -> contestant.close() }
        }
    }

    private fun <A> flood(
        scenario: Scenario,
        entry: Entry,
        contestant: Contestant<A>,
        length: Long,
    ): Sample {
        val window = Window(contestant, scenario.keys, IN_FLIGHT)
        val sample = window.run(length) { Costs.of(field.server) }
        if (entry.decides) scenario.verify(entry.name, window.allowed, sample.decisions)
        return sample
    }

    /** One thread that asks, waits for the answer, and asks again. */
    private fun alone(
        scenario: Scenario,
        contestant: Contestant<*>,
        length: Long,
    ): RoundTrips {
        val nanos = ArrayList<Long>()
        val end = System.nanoTime() + length * NANOS_PER_MILLI
        var key = 0
        var start = System.nanoTime()
        while (start < end) {
            contestant.decide(key)
            val now = System.nanoTime()
            nanos += now - start
            start = now
            key = (key + STRIDE) % scenario.keys
        }
        return RoundTrips(nanos.toLongArray())
    }

    private companion object {
        const val IN_FLIGHT = 256
        const val STRIDE = 7_919
        const val NANOS_PER_MILLI = 1_000_000L
    }
}

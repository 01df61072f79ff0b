package dev.ratelimit.benchmarks.redis

import java.io.File

/**
 * Measures this library beside others on one Redis, and prints the comparison. Arguments: the file to write it to; the number of
 * rounds; the milliseconds of a contestant's turn.
 */
fun main(args: Array<String>) {
    val (file, count, millis) = args
    val text =
        Field().use { field ->
            val rounds = Rounds(field, count.toInt(), millis.toLong(), warmUpMillis = maxOf(millis.toLong(), LEAST_WARM_UP))
            val throughput = Scenario.entries.associateWith { progress(it.title, rounds::throughput, it) }
            val alone = progress("one caller", rounds::singleCaller, Scenario.MANY_KEYS)
            listOf(HEAD, RedisReport.throughput(throughput), RedisReport.singleCaller(Scenario.MANY_KEYS, alone), FOOT)
        }.joinToString("\n\n")
    File(file).writeText(text + "\n")
    println(text)
}

private fun <T> progress(
    title: String,
    measured: (Scenario) -> T,
    scenario: Scenario,
): T {
    System.err.println("  $title")
    return measured(scenario)
}

private const val LEAST_WARM_UP = 2_000L

private val HEAD =
    """
    One redis-server, one JVM; everybody on one connection with 256 questions in flight, in turns, round after round.
    Medians over the rounds; ratios are taken within a round. ±: median distance from the median.
    us: processor time for each decision, of the server and of this process; B: bytes allocated for each decision.
    """.trimIndent()

private val FOOT =
    """
    Plain EVALSHA: a GCRA in one key, by the server's clock. Two keys: a token bucket by the client's clock, as Spring Cloud Gateway's.
    Bucket4j: compare-and-swap on Lettuce; batching: its optimization that gathers what is asked of one bucket.
    Redisson: its pool set to one connection, as everybody has; its own pool: the default, of up to 64.
    Promises hold against the faster of a peer's two lines.
    One caller: a thread that asks and waits for the answer; ours for a future, and blocking.
    """.trimIndent()

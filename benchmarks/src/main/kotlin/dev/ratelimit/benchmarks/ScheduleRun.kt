package dev.ratelimit.benchmarks

import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.perSecond
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

/**
 * Whether waiting costs throughput: 2,000 permits a second with a burst of 1 leave no room for a timer that fires late. Runs in real
 * time, and also looks at every single grant: the k-th after the first must not be seen before k half milliseconds have passed.
 *
 * The second argument is the length of each run in seconds; 10 if there is none.
 */
fun main(args: Array<String>) {
    val seconds = args.getOrNull(1)?.toInt() ?: DEFAULT_SECONDS
    run("warm-up", coroutines = 2, seconds = 1)
    Figure.report(
        args.take(1).toTypedArray(),
        run("16 coroutines", coroutines = 16, seconds) + run("one coroutine", coroutines = 1, seconds),
    )
}

private fun run(
    name: String,
    coroutines: Int,
    seconds: Int,
): List<Figure> {
    val limiter = RateLimiter("schedule", PER_SECOND.perSecond.withBurst(1))
    val length = seconds * NANOS_PER_SECOND
    val seen = Array(coroutines) { LongArray(0) }
    // Read before the first permit is asked for, so not later than the instant at which it is granted.
    val start = System.nanoTime()
    runBlocking(Dispatchers.Default) {
        limiter.acquire()
        repeat(coroutines) { i -> launch { seen[i] = grants(limiter, until = start + length) } }
    }
    val grants = seen.flatMap { it.asList() }.sorted()
    val spacing = NANOS_PER_SECOND / PER_SECOND
    val early = grants.withIndex().count { (i, at) -> at - start < (i + 1) * spacing }
    val delivered = grants.count { it - start <= length }
    val expected = length / spacing
    return listOf(
        Figure("2,000/s for $seconds s, $name: delivered", PER_CENT * delivered / expected, "%", atLeast = LEAST_DELIVERED),
        Figure("2,000/s for $seconds s, $name: grants seen too early", early.toDouble(), "", atMost = 0.0),
    )
}

/** When each of the permits was there that one coroutine asked for in a loop. */
private suspend fun grants(
    limiter: RateLimiter,
    until: Long,
): LongArray {
    val seen = ArrayList<Long>()
    while (seen.isEmpty() || seen.last() < until) {
        limiter.acquire()
        seen += System.nanoTime()
    }
    return seen.toLongArray()
}

private const val PER_SECOND = 2_000
private const val NANOS_PER_SECOND = 1_000_000_000L
private const val PER_CENT = 100.0
private const val LEAST_DELIVERED = 99.0
private const val DEFAULT_SECONDS = 10

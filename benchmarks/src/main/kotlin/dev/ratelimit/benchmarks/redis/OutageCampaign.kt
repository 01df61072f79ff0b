package dev.ratelimit.benchmarks.redis

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimiter
import dev.ratelimit.benchmarks.Figure
import dev.ratelimit.benchmarks.Heap
import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.RedisStore
import java.time.Duration
import java.util.concurrent.TimeUnit

/**
 * A long outage: the server is killed while 1,000 calls a second keep coming, and started again at the end. How long each decision took,
 * what stayed on the heap, and how long until Redis decides again. Arguments: the file for the figures; the minutes of the outage.
 */
fun main(args: Array<String>) {
    val seconds = (args[1].toDouble() * TimeUnit.MINUTES.toSeconds(1)).toLong()
    val figures =
        Field().use { field ->
            RedisStore
                .builder()
                .keyPrefix("outage:")
                .deadline(Duration.ofMillis(DEADLINE_MILLIS))
                .failurePolicy(FailurePolicy.local())
                .connect(field.server.uri)
                .use { store -> campaign(field, store, seconds) }
        }
    Figure.report(args.take(1).toTypedArray(), figures)
    // A campaign that broke a promise fails its job.
    check(figures.all { it.isMet }) { "promises were missed: ${figures.filterNot { it.isMet }}" }
}

private fun campaign(
    field: Field,
    store: RedisStore,
    seconds: Long,
): List<Figure> {
    val limiters = KeyedRateLimiter<String>("users", RateLimit.tokenBucket(100, Duration.ofSeconds(1)), store = store)
    Calls(limiters, SECONDS_BEFORE).run()
    // Made before the heap is looked at, because it has room for all times.
    val outage = Calls(limiters, seconds)
    val heapBefore = Heap.used()
    field.server.kill()
    outage.run()
    val heapAfter = Heap.used()
    field.server.restart()
    val recovery = recoveryMillis(field, limiters["recovery"])
    val afterwards = Calls(limiters, SECONDS_BEFORE).also { it.run() }
    val times = outage.micros
    return listOf(
        Figure("outage of $seconds s: decisions", times.size.toDouble(), "", atLeast = LEAST_KEPT * seconds * Calls.PER_SECOND),
        Figure("outage: decisions that never came", outage.missing.toDouble(), "", atMost = 0.0),
        Figure("outage: decisions that failed", outage.failed.toDouble(), "", atMost = 0.0),
        Figure("outage: median time of a decision", times.quantile(0.5) / 1e3, "ms"),
        Figure("outage: 99th percentile", times.quantile(0.99) / 1e3, "ms"),
        Figure("outage: longest time of a decision", times.last() / 1e3, "ms", atMost = DEADLINE_MILLIS + MARGIN_MILLIS),
        Figure("outage: heap growth", (heapAfter - heapBefore) / BYTES_PER_MIB, "MiB", atMost = MOST_MIB),
        Figure("outage: until Redis decides again", recovery, "ms"),
        Figure("afterwards: longest time of a decision", afterwards.micros.last() / 1e3, "ms", atMost = DEADLINE_MILLIS + MARGIN_MILLIS),
    )
}

/** Asks until the bucket is in Redis: the restarted server had none. */
private fun recoveryMillis(
    field: Field,
    limiter: RateLimiter,
): Double {
    val start = System.nanoTime()
    field.client.connect().use { connection ->
        while (connection.sync().dbsize() == 0L) {
            check(System.nanoTime() - start < TimeUnit.MINUTES.toNanos(1)) { "Redis was back, and nobody asked it for a minute" }
            limiter.tryAcquireAsync().get()
            Thread.sleep(1)
        }
    }
    return (System.nanoTime() - start) / 1e6
}

private fun LongArray.quantile(q: Double): Long = this[((size - 1) * q).toInt()]

private const val DEADLINE_MILLIS = 200L
private const val MARGIN_MILLIS = 50.0
private const val SECONDS_BEFORE = 5L
private const val LEAST_KEPT = 0.99
private const val MOST_MIB = 16.0
private const val BYTES_PER_MIB = 1024.0 * 1024

package dev.ratelimit.benchmarks.redis

import dev.ratelimit.KeyedRateLimiter
import dev.ratelimit.RateLimit
import dev.ratelimit.benchmarks.Figure
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.RedisStore
import java.time.Duration

/**
 * What needs no round trip: permits leased in advance on a hot key, and refusals remembered under an attack. In a JVM of its own, because
 * here a decision costs nanoseconds. Arguments: the file for the figures; the milliseconds of a round; the number of rounds.
 */
fun main(args: Array<String>) {
    val millis = args[1].toLong()
    val rounds = args[2].toInt()
    val figures = Field().use { leases(it, millis, rounds) + attack(it, millis, rounds) }
    Figure.report(args.take(1).toTypedArray(), figures)
}

/** A limit that one process does not exhaust, taken a thousand at a time. */
private fun leases(
    field: Field,
    millis: Long,
    rounds: Int,
): List<Figure> =
    RedisStore.builder().keyPrefix("lease:").lease(LEASE, Duration.ofMillis(LEASE_MILLIS)).connect(field.server.uri).use { store ->
        val hot = KeyedRateLimiter<String>("hot", RateLimit.tokenBucket(PLENTY, Duration.ofSeconds(1)), store = store)
        val runs = runs(field, hot, millis, rounds)
        val denied = runs.maxOf { 1 - it.allowed.toDouble() / it.decisions }
        listOf(
            Figure("lease of 1,000, hot key: decisions a second", runs.map { it.perSecond }.median(), "", atLeast = FAST),
            Figure("lease of 1,000, hot key: Redis calls a second", runs.map { it.callsPerSecond }.median(), ""),
            Figure("lease of 1,000, hot key: refused, though permits were left", PER_CENT * denied, "%", atMost = 1.0),
        )
    }

/** A key that is refused for the rest of the day, asked without pause. */
private fun attack(
    field: Field,
    millis: Long,
    rounds: Int,
): List<Figure> =
    RedisStore.builder().keyPrefix("denied:").denialCache(REMEMBERED).connect(field.server.uri).use { store ->
        val attacked = KeyedRateLimiter<String>("attacked", RateLimit.tokenBucket(1, Duration.ofDays(1)), store = store)
        val runs = runs(field, attacked, millis, rounds)
        listOf(
            Figure("denialCache, refused key: refusals a second", runs.map { it.perSecond }.median(), "", atLeast = FAST),
            Figure("denialCache, refused key: Redis calls a second", runs.maxOf { it.callsPerSecond }, "", atMost = FEW_CALLS),
            Figure("denialCache, refused key: grants after the first", runs.sumOf { it.allowed }.toDouble(), "", atMost = 0.0),
        )
    }

/** The first round warms up, and takes the only permit of the attacked key. */
private fun runs(
    field: Field,
    limiters: KeyedRateLimiter<String>,
    millis: Long,
    rounds: Int,
): List<FastRun> {
    check(limiters["key"].tryAcquireAsync().get().isAllowed) { "the first decision was a refusal" }
    return List(rounds + 1) { FastRun.of(field, limiters, millis) }.drop(1)
}

private const val LEASE = 1_000L
private const val LEASE_MILLIS = 100L
private const val PLENTY = 100_000_000L
private const val REMEMBERED = 10_000
private const val FAST = 5e6
private const val FEW_CALLS = 99.9
private const val PER_CENT = 100.0

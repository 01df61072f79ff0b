package dev.ratelimit.jvm.store

import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.algorithm.Meter

/** Permits asked of one bucket. */
internal interface Asked {
    val meter: Meter
    val permits: Long
}

/** What several buckets decide together, on their [states] alone: all grant, or nothing changes. */
internal class Joint(
    private val asked: List<Asked>,
    private val states: Array<LongArray>,
) {
    fun tryAcquire(
        now: Long,
        maxDelay: Long,
    ): RateLimitResult {
        val refusal = refusal(now, maxDelay, 0)
        if (refusal != null) return refusal
        val delay = longestDelay(now)
        for (i in asked.indices) states[i] = asked[i].meter.add(states[i], now, asked[i].permits)
        return grant(now, delay)
    }

    /** The answer of [tryAcquire], after [ahead] permits to others, without its effect. */
    fun peek(
        now: Long,
        ahead: Long,
    ): RateLimitResult = refusal(now, Long.MAX_VALUE, ahead) ?: grant(now, longestDelay(now))

    private fun refusal(
        now: Long,
        maxDelay: Long,
        ahead: Long,
    ): RateLimitResult? {
        var worst: RateLimitResult? = null
        for (i in asked.indices) {
            val meter = asked[i].meter
            val permits = asked[i].permits
            val untilTurn = if (maxDelay == Long.MAX_VALUE) 0 else meter.delay(states[i], now) - maxDelay
            if (ahead == 0L && untilTurn <= 0 && meter.admits(states[i], now, permits)) continue
            val wait = maxOf(meter.waitFor(states[i], now, permits, ahead), untilTurn)
            if (wait > 0 && (worst == null || wait > worst.retryAfterNanos())) {
                worst = RateLimitResult.denied(meter.limit, meter.remaining(states[i], now), wait, meter.resetAfter(states[i], now))
            }
        }
        return worst
    }

    private fun longestDelay(now: Long) = asked.indices.maxOf { asked[it].meter.delay(states[it], now) }

    private fun grant(
        now: Long,
        delay: Long,
    ): RateLimitResult {
        var scarcest = asked[0].meter
        var remaining = Long.MAX_VALUE
        var reset = 0L
        for (i in asked.indices) {
            val meter = asked[i].meter
            val left = meter.remaining(states[i], now)
            if (left < remaining) {
                scarcest = meter
                remaining = left
            }
            reset = maxOf(reset, meter.resetAfter(states[i], now))
        }
        return RateLimitResult.allowed(scarcest.limit, remaining, reset, delay)
    }
}

/** Corrects a bucket's state: [permits] above zero are taken, below zero given back. */
internal fun Meter.adjusted(
    state: LongArray,
    now: Long,
    permits: Long,
): LongArray =
    when {
        permits > 0 -> add(state, now, permits)
        permits < 0 -> state.also { giveBack(it, now, -permits) }
        else -> state
    }

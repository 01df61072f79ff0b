package dev.ratelimit.jvm.store

import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.algorithm.WordMeter

/** A bucket whose state is its word: a compare-and-set is the whole critical section. */
internal class WordBucket(
    key: Any?,
    hash: Int,
    rule: Rule,
    state: Long,
) : Bucket(key, hash, rule, state) {
    override fun tryAcquire(
        now: Long,
        permits: Long,
        maxDelay: Long,
    ): RateLimitResult? {
        touch()
        val meter = rule.meter as WordMeter
        var spins = 0
        while (true) {
            val before = word
            if (before <= DEAD) {
                if (before == DEAD) return null
                spins = pause(spins)
                continue
            }
            val after = meter.take(before, now, permits)
            if (after == WordMeter.REFUSED || (maxDelay != Long.MAX_VALUE && meter.delayOf(before, now) > maxDelay)) {
                return refused(meter, before, now, permits, maxDelay)
            }
            if (swap(before, after)) {
                return RateLimitResult.allowed(
                    meter.limit,
                    meter.remainingOf(after, now),
                    meter.resetOf(after, now),
                    meter.delayOf(before, now),
                )
            }
        }
    }

    private fun refused(
        meter: WordMeter,
        word: Long,
        now: Long,
        permits: Long,
        maxDelay: Long,
    ): RateLimitResult {
        val untilRoom = meter.waitOf(word, now, permits, 0)
        val untilTurn = if (maxDelay == Long.MAX_VALUE) 0 else meter.delayOf(word, now) - maxDelay
        return RateLimitResult.denied(meter.limit, meter.remainingOf(word, now), maxOf(untilRoom, untilTurn), meter.resetOf(word, now))
    }

    override fun untilFull(now: Long): Long {
        val state = word
        return if (state > DEAD) (rule.meter as WordMeter).resetOf(state, now) else Long.MAX_VALUE
    }

    override fun buryIfFull(now: Long): Boolean {
        val state = word
        return state > DEAD && (rule.meter as WordMeter).resetOf(state, now) == 0L && swap(state, DEAD)
    }

    override fun tryLock(): LongArray? {
        val state = word
        return if (state > DEAD && swap(state, LOCKED)) longArrayOf(state) else null
    }

    override fun unlock(state: LongArray) {
        word = state[0]
    }
}

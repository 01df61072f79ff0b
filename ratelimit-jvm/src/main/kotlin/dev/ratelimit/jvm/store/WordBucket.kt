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
        var collisions = 0
        while (true) {
            val before = word
            if (before <= DEAD) {
                if (before == DEAD) return null
                spins = pause(spins)
                continue
            }
            val after = meter.take(before, now, permits)
            val refused = after == WordMeter.REFUSED || (maxDelay != Long.MAX_VALUE && meter.delayOf(before, now) > maxDelay)
            if (refused || swap(before, after)) {
                // One place for both answers, and no number worked out before it is asked for: so the compiler can do without the object.
                return RateLimitResult.decided(
                    meter.limit,
                    !refused,
                    meter,
                    if (refused) before else after,
                    now,
                    permits,
                    if (refused) maxDelay else meter.delayOf(before, now),
                )
            }
            collisions = backOff(collisions)
        }
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

package dev.ratelimit.jvm.store

import dev.ratelimit.RateLimitResult

/** A bucket whose state takes more than a word, which guards it: a lock held for the length of one computation. */
internal class WideBucket(
    key: Any?,
    hash: Int,
    rule: Rule,
    private var state: LongArray,
) : Bucket(key, hash, rule, FREE) {
    override fun tryAcquire(
        now: Long,
        permits: Long,
        maxDelay: Long,
    ): RateLimitResult? {
        touch()
        val meter = rule.meter
        var current = lock() ?: return null
        try {
            val delay = meter.delay(current, now)
            if (delay > maxDelay || !meter.admits(current, now, permits)) return refusal(meter, current, now, permits, maxDelay)
            current = meter.add(current, now, permits)
            return RateLimitResult.allowed(meter.limit, meter.remaining(current, now), meter.resetAfter(current, now), delay)
        } finally {
            unlock(current)
        }
    }

    override fun untilFull(now: Long): Long {
        val current = tryLock() ?: return Long.MAX_VALUE
        return rule.meter.resetAfter(current, now).also { unlock(current) }
    }

    override fun buryIfFull(now: Long): Boolean {
        val current = tryLock() ?: return false
        val full = rule.meter.resetAfter(current, now) == 0L
        if (full) bury() else unlock(current)
        return full
    }

    override fun tryLock(): LongArray? = if (swap(FREE, LOCKED)) state else null

    override fun unlock(state: LongArray) {
        this.state = state
        word = FREE
    }

    private companion object {
        const val FREE = 0L
    }
}

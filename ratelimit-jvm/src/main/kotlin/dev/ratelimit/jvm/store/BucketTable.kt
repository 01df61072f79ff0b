package dev.ratelimit.jvm.store

import java.util.concurrent.atomic.AtomicInteger

/**
 * The buckets of a memory store, at most [maxKeys] of them.
 *
 * A bucket that is full again equals one that was never made, so dropping it loses nothing: every insertion, and now and then a
 * lookup, sweeps a few chains for such buckets. When a flood of keys leaves none, the least useful bucket of a sample makes room:
 * the one asked least often, among those the one nearest to full. So new keys are always served, and a key that has been
 * exhausted by its callers stays exhausted while one-time keys come and go.
 */
internal class BucketTable(
    private val maxKeys: Int,
) {
    private val segments = Array(if (maxKeys < FEW_KEYS) 1 else SEGMENTS) { Segment() }
    private val count = AtomicInteger()
    private val evictionHand = AtomicInteger()
    private val sweepHand = AtomicInteger()

    /** The instant from which the next caller sweeps a little; being late does not matter. */
    @Volatile
    private var sweepAt = 0L

    /** How many buckets there are. */
    val size: Int get() = count.get()

    /** The bucket of [key], whatever limit rules it; null if there is none. */
    fun find(
        rule: Rule,
        key: Any?,
    ): Bucket? {
        val hash = rule.hashOf(key)
        val segment = segmentOf(hash)
        return segment.find(hash, rule, key) ?: synchronized(segment) { segment.find(hash, rule, key) }
    }

    /** The state of a bucket of [key] that nobody has made. */
    fun fresh(
        rule: Rule,
        key: Any?,
        now: Long,
    ): LongArray = rule.meter.fresh(maxOf(now, segmentOf(rule.hashOf(key)).droppedAt))

    /** The live bucket of [key], ruled by [rule]; made, or taken over from another rule, if need be. */
    fun bucket(
        rule: Rule,
        key: Any?,
        now: Long,
    ): Bucket {
        val hash = rule.hashOf(key)
        val segment = segmentOf(hash)
        if (now - sweepAt > 0) sweep(now)
        val found = segment.find(hash, rule, key)
        return if (found != null && !found.isDead && found.rule.isSameLimitAs(rule)) found else insert(segment, hash, rule, key, now)
    }

    private fun insert(
        segment: Segment,
        hash: Int,
        rule: Rule,
        key: Any?,
        now: Long,
    ): Bucket {
        val new =
            synchronized(segment) {
                val present = segment.find(hash, rule, key)
                if (present != null) return if (present.rule.isSameLimitAs(rule)) present else takeOver(segment, present, rule, now)
                segment.visitChains(CHAINS_SWEPT_BY_INSERTION) { dropIfFull(segment, it, now) }
                count.incrementAndGet()
                Bucket.create(key, hash, rule, rule.meter.fresh(maxOf(now, segment.droppedAt))).also(segment::insert)
            }
        while (count.get() > maxKeys) if (!makeRoom(new, now)) break
        return new
    }

    /** The bucket under its new rule, as another object: nobody can mistake a state of the one rule for one of the other. */
    private fun takeOver(
        segment: Segment,
        old: Bucket,
        rule: Rule,
        now: Long,
    ): Bucket {
        val state = checkNotNull(old.lock()) { "a bucket that the table holds is alive" }
        val new = Bucket.create(old.key, old.hash, rule, rule.meter.carry(old.rule.meter, state, now))
        new.touches = old.touches
        segment.unlink(old)
        segment.insert(new)
        old.bury()
        return new
    }

    /**
     * Drops at least one bucket, if there is one: all full ones of a sample, or the least useful. Not [new], nor others that were
     * made but not asked yet: their makers are about to.
     */
    private fun makeRoom(
        new: Bucket,
        now: Long,
    ): Boolean {
        val first = evictionHand.getAndIncrement()
        return segments.indices.any { i ->
            val segment = segments[(first + i) and (segments.size - 1)]
            synchronized(segment) { count.get() <= maxKeys || dropFromSample(segment, new, now) }
        }
    }

    private fun dropFromSample(
        segment: Segment,
        new: Bucket,
        now: Long,
    ): Boolean {
        var dropped = false
        var victim: Bucket? = null
        var victimUntilFull = 0L
        var seen = 0
        var chains = 0
        while (seen < SAMPLE && chains < segment.chainCount) {
            chains++
            segment.visitChains(1) { bucket ->
                seen++
                val untilFull = bucket.untilFull(now)
                val chosen = victim
                if (untilFull == 0L && dropIfFull(segment, bucket, now)) {
                    dropped = true
                } else if (bucket !== new && !bucket.isUnasked && (chosen == null || less(bucket, untilFull, chosen, victimUntilFull))) {
                    victim = bucket
                    victimUntilFull = untilFull
                }
            }
        }
        val chosen = victim
        if (!dropped && chosen != null && chosen.lock() != null) {
            chosen.bury()
            unlink(segment, chosen)
            dropped = true
        }
        return dropped
    }

    private fun less(
        bucket: Bucket,
        untilFull: Long,
        than: Bucket,
        thanUntilFull: Long,
    ) = bucket.touches < than.touches || (bucket.touches == than.touches && untilFull < thanUntilFull)

    /** Sweeps the segments in turn, so that idle keys go wherever they are. */
    private fun sweep(now: Long) {
        sweepAt = now + SWEEP_INTERVAL_NANOS / segments.size
        val segment = segments[sweepHand.getAndIncrement() and (segments.size - 1)]
        synchronized(segment) {
            segment.visitChains(segment.chainCount / SWEEPS_PER_ROUND + 1) { dropIfFull(segment, it, now) }
            segment.shrinkIfSparse()
        }
    }

    private fun dropIfFull(
        segment: Segment,
        bucket: Bucket,
        now: Long,
    ): Boolean {
        if (bucket.isUnasked || !bucket.buryIfFull(now)) return false
        unlink(segment, bucket)
        segment.droppedAt = maxOf(segment.droppedAt, now)
        return true
    }

    private fun unlink(
        segment: Segment,
        bucket: Bucket,
    ) {
        segment.unlink(bucket)
        count.decrementAndGet()
    }

    private fun segmentOf(hash: Int) = segments[(hash ushr SEGMENT_SHIFT) and (segments.size - 1)]

    private companion object {
        const val SEGMENTS = 16
        const val SEGMENT_SHIFT = 28

        /** Below this many, one segment keeps the bound exact. */
        const val FEW_KEYS = 4096
        const val SAMPLE = 64
        const val CHAINS_SWEPT_BY_INSERTION = 2
        const val SWEEPS_PER_ROUND = 64
        const val SWEEP_INTERVAL_NANOS = 100_000_000L
    }
}

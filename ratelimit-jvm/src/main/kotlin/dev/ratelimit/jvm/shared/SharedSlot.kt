package dev.ratelimit.jvm.shared

import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.algorithm.Meter
import dev.ratelimit.jvm.algorithm.WordMeter
import dev.ratelimit.jvm.store.Bucket

/** A slot in the hand of a caller, who asks it until it tells that it is another's. */
internal abstract class SharedSlot(
    @JvmField val buckets: SharedBuckets,
    @JvmField val rule: SharedRule,
    protected val place: Place,
) {
    protected val words: Words = buckets.words
    protected val state: Int = place.at + Layout.STATE
    private val meta = place.at + Layout.META
    private val scratch = ByteArray(Layout.WORD)
    private var touches = 0

    /** Grants or refuses; null when the slot is not this bucket's any more. */
    abstract fun tryAcquire(
        now: Long,
        permits: Long,
        maxDelay: Long,
    ): RateLimitResult?

    /**
     * Whether the slot is this bucket's. To be asked after its state was read and before that is changed: another bucket has another state,
     * and under another limit its state would be nonsense.
     */
    protected fun isHere(): Boolean = words.get(meta) == place.meta

    /**
     * Whether the slot is still this bucket's, and what was read and written was really there. If it is not, the caller asks anew. Threads
     * share the scratch, so only a yes of it counts.
     */
    protected fun isOwn(): Boolean = words.look(meta, scratch) == place.meta || isOwnForSure()

    private fun isOwnForSure(): Boolean = words.look(meta, ByteArray(Layout.WORD)) == place.meta

    protected fun touch() {
        if (touches < MANY_TOUCHES) {
            touches++
            buckets.table.touch(place.at)
        }
    }

    /** Waits for the mark that is in the way; false if there is nothing to wait for. */
    protected fun await(word: Long): Boolean = word != State.FREE && buckets.marks.await(state, word) && isOwn()

    private companion object {
        const val MANY_TOUCHES = 15
    }
}

/** A slot whose state is the bucket: a compare-and-set is the whole critical section. */
internal class WordSlot(
    buckets: SharedBuckets,
    rule: SharedRule,
    place: Place,
) : SharedSlot(buckets, rule, place) {
    private val meter = rule.meter as WordMeter

    override fun tryAcquire(
        now: Long,
        permits: Long,
        maxDelay: Long,
    ): RateLimitResult? {
        touch()
        val meter = meter
        var collisions = 0
        while (true) {
            val word = words.get(state)
            if (!State.isState(word)) {
                if (await(word)) continue
                return null
            }
            if (!isHere()) return null
            val before = State.decoded(word)
            val after = meter.take(before, now, permits)
            val refused = after == WordMeter.REFUSED || (maxDelay != Long.MAX_VALUE && meter.delayOf(before, now) > maxDelay)
            if (refused && !meter.isSoundWord(before, now)) {
                words.swap(state, word, State.FREE)
                return null
            }
            if (refused || words.swap(state, word, State.encoded(after))) {
                if (!isOwn()) return null
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
            words.retry(state)
            collisions = Bucket.backOff(collisions)
        }
    }
}

/** A slot whose state names a block: a new block takes its place. */
internal class BlockSlot(
    buckets: SharedBuckets,
    rule: SharedRule,
    place: Place,
) : SharedSlot(buckets, rule, place) {
    private val meter: Meter = rule.meter

    override fun tryAcquire(
        now: Long,
        permits: Long,
        maxDelay: Long,
    ): RateLimitResult? {
        touch()
        while (true) {
            val word = words.get(state)
            if (!State.isState(word)) {
                if (await(word)) continue
                return null
            }
            if (!isHere()) return null
            val current = buckets.blockOf(meter, place, word, now)
            if (words.get(state) == word) {
                if (current == null) return null
                decide(word, current, now, permits, maxDelay)?.let { return it.result }
            }
            words.retry(state)
        }
    }

    /** What came of it; without a result, the slot is another bucket's. */
    private class Outcome(
        val result: RateLimitResult?,
    )

    /** Null if another was faster. */
    private fun decide(
        word: Long,
        current: LongArray,
        now: Long,
        permits: Long,
        maxDelay: Long,
    ): Outcome? {
        val delay = meter.delay(current, now)
        if (delay > maxDelay || !meter.admits(current, now, permits)) {
            return Outcome(if (isOwn()) Bucket.refusal(meter, current, now, permits, maxDelay) else null)
        }
        val after = meter.add(current, now, permits)
        val next = buckets.states.wordOf(meter, after, word)
        val isDone = words.swap(state, word, next)
        buckets.states.discard(meter, if (isDone) word else next)
        buckets.checkWhole()
        if (!isDone) return null.also { Thread.onSpinWait() }
        if (!isOwn()) return Outcome(null)
        return Outcome(RateLimitResult.allowed(meter.limit, meter.remaining(after, now), meter.resetAfter(after, now), delay))
    }
}

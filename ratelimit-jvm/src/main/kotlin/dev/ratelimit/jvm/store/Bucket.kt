package dev.ratelimit.jvm.store

import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.algorithm.Meter
import dev.ratelimit.jvm.algorithm.WordMeter
import java.lang.invoke.MethodHandles
import java.lang.invoke.VarHandle

/**
 * One bucket in memory, and at the same time a node of the [BucketTable] that holds it (which saves a map entry for each key).
 *
 * [word] is the whole state where that fits into a long ([WordBucket]); otherwise it is only the lock of the state
 * ([WideBucket]). Two values are marks: [LOCKED], by an operation over several buckets that is in progress, for a few
 * nanoseconds; and [DEAD], by a bucket that the table has dropped: whoever holds it still has to look the key up again.
 */
internal abstract class Bucket(
    @JvmField val key: Any?,
    @JvmField val hash: Int,
    @JvmField val rule: Rule,
    @Volatile protected var word: Long,
) {
    /** The next node of the table's chain; written under the lock of its segment. */
    @JvmField
    @Volatile
    var next: Bucket? = null

    /** How often the bucket was asked, up to a few times; a hint to the table, so a lost update does not matter. */
    @JvmField
    var touches: Int = 0

    /** Whether the caller who made the bucket has not come to ask it yet. */
    val isUnasked: Boolean get() = touches == 0

    /** Whether this is the bucket of [key] at the place that [rule] has, whatever the limit is. */
    fun isOf(
        rule: Rule,
        key: Any?,
    ) = this.key == key && (this.rule === rule || this.rule.isSamePlaceAs(rule))

    /** How long until the bucket equals a fresh one; of a bucket that is being used, [Long.MAX_VALUE]. */
    abstract fun untilFull(now: Long): Long

    /** Ends the bucket if it equals a fresh one and nobody uses it at this moment. */
    abstract fun buryIfFull(now: Long): Boolean

    /** Grants or refuses; null when the bucket is dead. */
    abstract fun tryAcquire(
        now: Long,
        permits: Long,
        maxDelay: Long,
    ): RateLimitResult?

    /** Takes the state for the caller alone; null when the bucket is dead. Every lock is followed by one [unlock] or [bury]. */
    fun lock(): LongArray? {
        var spins = 0
        while (true) {
            if (word == DEAD) return null
            tryLock()?.let { return it }
            spins = pause(spins)
        }
    }

    /** As [lock], but null also when another holds the lock. */
    abstract fun tryLock(): LongArray?

    abstract fun unlock(state: LongArray)

    /** Ends the bucket, which the caller has locked. */
    fun bury() {
        word = DEAD
    }

    val isDead: Boolean get() = word == DEAD

    /** Counts one more use, for the table's choice of whom to drop. */
    fun touch() {
        if (touches < MANY_TOUCHES) touches++
    }

    protected fun swap(
        from: Long,
        to: Long,
    ): Boolean = WORD.compareAndSet(this, from, to)

    companion object {
        const val LOCKED = Long.MIN_VALUE
        const val DEAD = WordMeter.LAST_RESERVED
        private const val MANY_TOUCHES = 15
        private const val SPINS_BEFORE_YIELD = 64

        /** Powers of two. */
        private const val FEWEST_PAUSES = 5
        private const val MOST_PAUSES = 8

        private val WORD: VarHandle =
            MethodHandles
                .privateLookupIn(Bucket::class.java, MethodHandles.lookup())
                .findVarHandle(Bucket::class.java, "word", Long::class.javaPrimitiveType)

        fun create(
            key: Any?,
            hash: Int,
            rule: Rule,
            state: LongArray,
        ): Bucket =
            when (rule.meter) {
                is WordMeter -> WordBucket(key, hash, rule, state[0])
                else -> WideBucket(key, hash, rule, state)
            }

        fun pause(spins: Int): Int {
            if (spins < SPINS_BEFORE_YIELD) Thread.onSpinWait() else Thread.yield()
            return spins + 1
        }

        /**
         * Lets others have the bucket for a while: a core that asks it again and again keeps its cache line and is done sooner than
         * two cores that take the line from each other at every step.
         */
        fun backOff(collisions: Int): Int {
            repeat(1 shl minOf(collisions + FEWEST_PAUSES, MOST_PAUSES)) { Thread.onSpinWait() }
            return collisions + 1
        }

        /** The answer to a call that [meter] does not admit in [state], or that would be served later than [maxDelay]. */
        fun refusal(
            meter: Meter,
            state: LongArray,
            now: Long,
            permits: Long,
            maxDelay: Long,
        ): RateLimitResult {
            val untilRoom = meter.waitFor(state, now, permits, 0)
            val untilTurn = if (maxDelay == Long.MAX_VALUE) 0 else meter.delay(state, now) - maxDelay
            return RateLimitResult.denied(
                meter.limit,
                meter.remaining(state, now),
                maxOf(untilRoom, untilTurn),
                meter.resetAfter(state, now),
            )
        }
    }
}

package dev.ratelimit.jvm.limiter

import dev.ratelimit.Algorithm
import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimit
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.RateLimitStore
import java.util.concurrent.ConcurrentHashMap

/** The keys of one limiter in a store that is asked over a wire, and the turns of their lines. */
internal class RemoteFamily(
    name: String,
    limits: List<RateLimit>,
    override val store: RateLimitStore,
    options: LimiterOptions,
    lines: Lines,
    clock: NanoClock = NanoClock.system(),
) : Family(name, limits, clock, options, lines) {
    /** Turns belong to the limits under which they were granted. */
    private class Held(
        val slots: Slots,
        val turns: Turns,
    )

    private val held = ConcurrentHashMap<Any, Held>()

    init {
        limits.forEach(store::check)
    }

    override fun check(limit: RateLimit) = store.check(limit)

    /** Heads of lines look again and find other limits; see [turnsOf]. */
    override fun changed() = Unit

    /** The turns of the line of [key] under the limits of now, for its head. */
    fun turnsOf(
        key: Any?,
        create: (Slots) -> Turns,
    ): Turns =
        checkNotNull(
            held.compute(key ?: this) { _, known ->
                val ruling = slots
                if (known != null && known.slots === ruling) return@compute known
                known?.turns?.close()
                Held(ruling, create(ruling))
            },
        ).turns

    fun knownTurns(key: Any?): Turns? = if (held.isEmpty()) null else held[key ?: this]?.turns

    /** Gives back the turns of a line in which nobody waits. */
    fun lineEmptied(key: Any?) {
        if (held.isEmpty()) return
        held.computeIfPresent(key ?: this) { _, known -> if (lines.occupied(key) == null) null.also { known.turns.close() } else known }
    }
}

/**
 * What of [unused] may go back to the buckets of these slots: all that a bucket holds at any time; what a window counts only as long as it
 * is the same window for sure, for in the next one it would make room for permits that were never taken from that.
 */
internal fun Slots.returned(
    limiter: String,
    key: Any?,
    unused: Unused,
    now: Long,
): List<Adjustment> =
    adjustments(limiter, key, -unused.permits).filter {
        val period = it.limit.periodNanos()
        val age = now - unused.askedAt + TIME_TO_RETURN
        when (it.limit.algorithm()) {
            Algorithm.TOKEN_BUCKET, Algorithm.LEAKY_BUCKET -> true
            Algorithm.SLIDING_LOG -> age < period
            // With several limits the result does not tell when the window of this one ends.
            Algorithm.FIXED_WINDOW -> limits.size == 1 && age < unused.result.resetAfterNanos()
            Algorithm.SLIDING_WINDOW -> limits.size == 1 && age < unused.result.resetAfterNanos() - period
        }
    }

/** As long as giving back may be under way. */
private const val TIME_TO_RETURN = 1_000_000_000L

private fun RateLimit.periodNanos(): Long = period().let { if (it.toDays() > DAYS_IN_NANOS) Long.MAX_VALUE else it.toNanos() }

/** About as many as nanoseconds in 63 bits can tell. */
private const val DAYS_IN_NANOS = 100_000L

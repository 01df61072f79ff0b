package dev.ratelimit.jvm.shared.rig

import dev.ratelimit.RateLimit
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import java.time.Duration

/**
 * The kinds of bucket that a child works on. Most are ledgers: nothing comes back to them while a test lasts, so what they have
 * given out can be told exactly from what is left, and compared with what was reported.
 *
 * @param perKey after so many milliseconds all children go on to a new key at once; 0: one key for ever
 */
internal enum class Kind(
    private val perKey: Long,
    private vararg val limits: RateLimit,
) {
    /** One word. */
    WORD(0, ledger),

    /** A block of three words. */
    BLOCK(0, wideLedger),

    /** A block that grows with each grant. */
    LOG(50, RateLimit.slidingLog(100, Duration.ofDays(1))),

    /** Two limits, one in a word and one in a block. */
    LIST(0, ledger, wideLedger),

    /** A new key every few milliseconds. */
    NEW(5, RateLimit.fixedWindow(3, CENTURY)),

    /** A new key with two limits every few milliseconds; the second would grant more. */
    NEW_LIST(5, RateLimit.fixedWindow(3, CENTURY), RateLimit.slidingLog(4, Duration.ofDays(1))),

    /** A bucket that refills. */
    PACED(0, RateLimit.perSecond(1_000.0).withBurst(100)),

    /** A new key with each call, full again after a millisecond, so that its slot goes to another. */
    FLOOD(EACH_CALL, RateLimit.perSecond(1_000.0).withBurst(1)),
    FLOOD_LIST(EACH_CALL, RateLimit.perSecond(1_000.0).withBurst(1), RateLimit.slidingLog(2, Duration.ofMillis(1))),
    ;

    /** Whether nothing comes back. */
    val isLedger: Boolean get() = perKey != EACH_CALL && this != PACED

    /** The key to ask now, so long after the beginning. */
    fun key(
        elapsedNanos: Long,
        random: () -> Long,
    ): Long =
        when (perKey) {
            EACH_CALL -> random()
            0L -> 0
            else -> elapsedNanos / (perKey * NANOS_PER_MILLI)
        }

    /** The second of two limits is charged twice as much. */
    fun charges(key: Long): List<Charge> = limits.mapIndexed { i, limit -> Charge(bucket(key, i), limit, weightOf(i)) }

    fun charge(
        key: Long,
        i: Int,
    ): Charge = Charge(bucket(key, i), limits[i], 1)

    private fun weightOf(i: Int) = if (this == LIST && i == 1) 2L else 1L

    private fun bucket(
        key: Long,
        i: Int,
    ) = BucketKey(name, key, i)

    /** What each of the limits lets through at first. */
    val bursts: List<Long> get() = limits.map { it.burst() }

    /** What one grant takes from each of the limits. */
    val weights: List<Long> get() = limits.indices.map(::weightOf)
}

private const val EACH_CALL = -1L
private const val NANOS_PER_MILLI = 1_000_000L
private val CENTURY: Duration = Duration.ofDays(36_500)
private val ledger = RateLimit.fixedWindow(1_000_000_000_000, CENTURY)
private val wideLedger = RateLimit.tokenBucket(1, Duration.ofDays(1)).withBurst(1_000_000_000_000)

package dev.ratelimit.jvm.store

import dev.ratelimit.jvm.algorithm.Meter

/** What rules a bucket: the place it has in its limiter, and the arithmetic of its limit. */
internal class Rule(
    @JvmField val limiter: String,
    @JvmField val slot: Int,
    @JvmField val meter: Meter,
) {
    private val seed = limiter.hashCode() * 31 + slot

    /** The hash of the bucket of [key] under this rule, spread over all bits. */
    fun hashOf(key: Any?): Int {
        val hash = (seed * 31 + key.hashCode()) * -0x61c88647
        return hash xor (hash ushr 15)
    }

    /** Whether both name the same limit of the same limiter, though they may have read different numbers for it. */
    fun isSamePlaceAs(other: Rule) = slot == other.slot && limiter == other.limiter

    fun isSameLimitAs(other: Rule) = this === other || meter === other.meter || meter.limit == other.meter.limit
}

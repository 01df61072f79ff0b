package dev.ratelimit.ktor.client

import dev.ratelimit.RateLimit
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toJavaDuration

/*
 * Limits whose permits are bytes, for HttpRequestRateLimitConfig.bandwidth. Each is a token bucket. Its burst, unless withBurst gives
 * another, is what a tenth of a second brings, so that neither a timer that fires late nor a pause of the garbage collector costs
 * throughput; but no less than 64 KiB, and no more than a second brings.
 */

/**
 * A token bucket of this many bytes a second. The burst is a tenth of a second's bytes, at least 64 KiB and at most a second's; another is
 * written `100_000.bytesPerSecond.withBurst(64 * 1024)`.
 *
 * @throws IllegalArgumentException if the number is not positive
 */
public val Int.bytesPerSecond: RateLimit get() = toLong().bytesPerSecond

/** As [bytesPerSecond], in units of 1,024 bytes a second. */
public val Int.kibibytesPerSecond: RateLimit get() = toLong().kibibytesPerSecond

/** As [bytesPerSecond], in units of 1,048,576 bytes a second. */
public val Int.mebibytesPerSecond: RateLimit get() = toLong().mebibytesPerSecond

/** As [bytesPerSecond], in units of 1,073,741,824 bytes a second. */
public val Int.gibibytesPerSecond: RateLimit get() = toLong().gibibytesPerSecond

/**
 * A token bucket of this many bytes a second; the burst is as that of `Int.bytesPerSecond`.
 *
 * @throws IllegalArgumentException if the number is not positive, or the bytes do not fit into 64 bits
 */
public val Long.bytesPerSecond: RateLimit get() = bytes(this, Unit.BYTES)

/** As [bytesPerSecond], in units of 1,024 bytes a second. */
public val Long.kibibytesPerSecond: RateLimit get() = bytes(this, Unit.KIBIBYTES)

/** As [bytesPerSecond], in units of 1,048,576 bytes a second. */
public val Long.mebibytesPerSecond: RateLimit get() = bytes(this, Unit.MEBIBYTES)

/** As [bytesPerSecond], in units of 1,073,741,824 bytes a second. */
public val Long.gibibytesPerSecond: RateLimit get() = bytes(this, Unit.GIBIBYTES)

/**
 * A token bucket of this many bytes a second, fractions as in [RateLimit.perSecond]; the burst is as that of `Int.bytesPerSecond`.
 *
 * @throws IllegalArgumentException if the number is not positive and finite, or too small or too large to count in 64 bits
 */
public val Double.bytesPerSecond: RateLimit get() = bytes(this, Unit.BYTES)

/** As [bytesPerSecond], in units of 1,024 bytes a second. */
public val Double.kibibytesPerSecond: RateLimit get() = bytes(this, Unit.KIBIBYTES)

/** As [bytesPerSecond], in units of 1,048,576 bytes a second. */
public val Double.mebibytesPerSecond: RateLimit get() = bytes(this, Unit.MEBIBYTES)

/** As [bytesPerSecond], in units of 1,073,741,824 bytes a second. */
public val Double.gibibytesPerSecond: RateLimit get() = bytes(this, Unit.GIBIBYTES)

private enum class Unit(
    val bytes: Long,
    val property: String,
) {
    BYTES(1, "bytesPerSecond"),
    KIBIBYTES(1L shl 10, "kibibytesPerSecond"),
    MEBIBYTES(1L shl 20, "mebibytesPerSecond"),
    GIBIBYTES(1L shl 30, "gibibytesPerSecond"),
}

private fun bytes(
    count: Long,
    unit: Unit,
): RateLimit {
    require(count > 0) { notPositive(count, unit) }
    require(count <= Long.MAX_VALUE / unit.bytes) {
        "$count.${unit.property} is more than 64 bits can count; write at most ${Long.MAX_VALUE / unit.bytes}.${unit.property}"
    }
    val rate = count * unit.bytes
    return RateLimit.tokenBucket(rate, 1.seconds.toJavaDuration()).withBurst(burstOf(rate))
}

private fun bytes(
    count: Double,
    unit: Unit,
): RateLimit {
    require(count > 0 && count.isFinite()) { notPositive(count, unit) }
    val limit = RateLimit.perSecond(count * unit.bytes)
    return limit.withBurst(burstOf(limit.burst()))
}

private fun notPositive(
    count: Number,
    unit: Unit,
) = "$count.${unit.property} is not a positive rate; write for example 2.${unit.property}"

/** [perSecond] are the bytes that a second brings, at least 1. */
private fun burstOf(perSecond: Long): Long = (perSecond / BURSTS_PER_SECOND).coerceAtLeast(LEAST_BURST).coerceAtMost(perSecond)

private const val BURSTS_PER_SECOND = 10
private const val LEAST_BURST = 64 * 1024L

package dev.ratelimit.jvm.algorithm

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimit

/** What is in use of a bucket: [permits] and [rest] / [restPer] of one more. */
internal class Level(
    @JvmField val permits: Long,
    @JvmField val rest: Long,
    @JvmField val restPer: Long,
)

/**
 * The level with which a bucket goes on when [to] takes over from the bucket [from], or null when [from] is no bucket of the same
 * algorithm. A token bucket keeps the tokens it has, fractions included, up to its new burst; a full one stays full,
 * because a full bucket equals one that a store has forgotten. A leaky bucket keeps what waits in it.
 */
internal fun carriedLevel(
    to: RateLimit,
    from: Meter,
    state: LongArray,
    now: Long,
): Level? {
    if (to.algorithm() != from.limit.algorithm()) return null
    val level =
        when (from) {
            is TokenBucket -> from.levelOf(state[0], now)
            is WideTokenBucket -> from.levelOf(state, now)
            else -> return null
        }
    val full = level.permits == 0L && level.rest == 0L
    if (full || to.algorithm() == Algorithm.LEAKY_BUCKET) return level
    val growth = to.burst() - from.limit.burst()
    val permits = if (growth > 0) Exact.saturatedSum(level.permits, growth) else level.permits + growth
    return if (permits < 0) Level(0, 0, level.restPer) else Level(permits, level.rest, level.restPer)
}

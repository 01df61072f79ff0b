package dev.ratelimit.jvm.limiter

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimitResult
import dev.ratelimit.Refusal
import dev.ratelimit.jvm.line.Gate
import dev.ratelimit.jvm.line.Turn
import kotlinx.coroutines.delay
import kotlin.time.Duration.Companion.nanoseconds

/**
 * Waiting for permits, once they are not there at once: joins the line of [key] and comes back with a grant, or with a refusal and its
 * reason. A wait that cannot end within [maxWait] is refused before it begins.
 */
internal suspend fun Family.awaitInLine(
    gate: Gate,
    key: Any?,
    permits: Long,
    start: Long,
    maxWait: Long,
): RateLimitResult {
    val line = lines.use(key)
    try {
        val ahead = line.queuedPermits
        if (!line.tryEnter(permits)) {
            val expected = gate.peek(permits, ahead)
            return refuse(key, permits, expected.refused(Refusal.LINE_FULL, expected.retryAfterNanos().coerceAtLeast(1)))
        }
        var entered = true
        val turn =
            try {
                if (maxWait != Long.MAX_VALUE || observer.watchesWaits) {
                    val expected = gate.peek(permits, ahead)
                    val wait = expected.retryAfterNanos()
                    if (wait > maxWait) return refuse(key, permits, expected.refused(Refusal.MAX_WAIT, wait))
                    observer.waits(key, permits, wait)
                }
                entered = false
                line.await(gate, permits, start, maxWait)
            } finally {
                if (entered) line.leave(permits)
            }
        return when (turn) {
            is Turn.Granted -> served(gate, key, permits, turn.result, start)
            is Turn.Refused -> refuse(key, permits, turn.result.refused(reason(turn.result, permits, maxWait), turn.wait))
            is Turn.TimedOut -> {
                val expected = gate.peek(permits, line.queuedPermits)
                refuse(key, permits, expected.refused(Refusal.MAX_WAIT, expected.retryAfterNanos().coerceAtLeast(1)))
            }
        }
    } finally {
        lines.done(key)
        gate.lineEmptied()
    }
}

/** Waits for the turn that a leaky bucket has given, which is spent whether its holder still wants it or not. */
internal suspend fun Family.served(
    gate: Gate,
    key: Any?,
    permits: Long,
    grant: RateLimitResult,
    start: Long,
): RateLimitResult {
    var result = grant
    if (grant.delayNanos() > 0) {
        val turn = gate.clock.nanoTime() + grant.delayNanos()
        while (true) {
            val left = turn - gate.clock.nanoTime()
            if (left <= 0) break
            delay(left.nanoseconds)
        }
        result = RateLimitResult.allowed(grant.limit(), grant.remaining(), grant.resetAfterNanos(), 0)
    }
    observer.granted(key, permits, gate.clock.nanoTime() - start)
    return result
}

internal fun Family.refuse(
    key: Any?,
    permits: Long,
    result: RateLimitResult,
): RateLimitResult = result.also { observer.refused(key, permits, it) }

/** The refusal of a call behind which nobody else can be served either: whatever is left belongs to those in line. */
internal fun RateLimitResult.behindOthers(reason: Refusal): RateLimitResult =
    RateLimitResult.denied(limit(), 0, retryAfterNanos(), resetAfterNanos()).refused(reason, retryAfterNanos().coerceAtLeast(1))

/** A leaky bucket that is full refuses at once: its own queue is the only place to wait. */
internal val RateLimitResult.isWorthWaiting: Boolean get() = limit().algorithm() != Algorithm.LEAKY_BUCKET

/** Why a call that would have waited was refused: for its patience, if more of that had helped. */
internal fun reason(
    result: RateLimitResult,
    permits: Long,
    maxWait: Long,
): Refusal =
    when {
        result.refusal() == Refusal.UNAVAILABLE -> Refusal.UNAVAILABLE
        result.isWorthWaiting -> Refusal.MAX_WAIT
        maxWait != Long.MAX_VALUE && result.remaining() >= permits -> Refusal.MAX_WAIT
        else -> Refusal.LIMIT
    }

package dev.ratelimit.jvm.limiter

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.line.Gate
import dev.ratelimit.jvm.line.WaitingLine

/**
 * One caller's way through the lines of a [JointLimiter], one after another. At the head of a line, and once that limiter alone would
 * grant, it stands in the next one's line as well; at the head of the last it charges all. If then an earlier limiter has nothing left
 * (another process was there, or it was told to pause), the caller leaves the later lines and waits at the earlier one, so that nobody
 * is held up by a limit that is none of theirs.
 */
internal class JointPassage(
    private val joint: JointLimiter,
    private val permits: Long,
    private val start: Long,
    private val maxWait: Long,
) {
    private val members = joint.members

    suspend fun result(): RateLimitResult =
        try {
            pass(0, Long.MAX_VALUE)
        } catch (e: Ended) {
            e.result
        }

    private suspend fun pass(
        stage: Int,
        due: Long,
    ): RateLimitResult = members[stage].run { family.awaitInLine(Stage(stage, due), key, permits, start, maxWait) }

    /** @property due when the permits of the earlier limiters were due; timers fire late */
    private inner class Stage(
        private val index: Int,
        private val due: Long,
    ) : Gate {
        private val member = members[index]

        override val clock: NanoClock get() = joint.clock

        override val chargesAtTurn: Boolean get() = joint.chargesAtTurn

        override fun lineEmptied() = member.lineEmptied()

        /** What comes before the caller in this line is before it at this limiter only. */
        override suspend fun peek(
            permits: Long,
            ahead: Long,
        ): RateLimitResult = members.map { it.peek(permits, if (it === member) ahead else 0) }.maxBy { it.retryAfterNanos() }

        override suspend fun tryAcquire(
            at: Long,
            permits: Long,
            maxDelay: Long,
        ): RateLimitResult {
            if (index == members.lastIndex) return chargeAll(at, permits, maxDelay)
            while (true) {
                val own = member.peek(permits, 0)
                if (!own.isAllowed) return own
                try {
                    val result = pass(index + 1, minOf(at, due))
                    return if (result.isAllowed) result else throw Ended(result)
                } catch (e: SteppedAside) {
                    if (e.to != index) throw e
                }
            }
        }

        private suspend fun chargeAll(
            at: Long,
            permits: Long,
            maxDelay: Long,
        ): RateLimitResult {
            val earlier = minOf(at, due)
            if (earlier < at && chargesAtTurn && clock.nanoTime() - earlier <= WaitingLine.MAX_LAG) {
                joint.charge(earlier, permits, maxDelay).let { if (it.isAllowed) return it }
            }
            val result = joint.charge(at, permits, maxDelay)
            if (result.isAllowed) return result
            for (i in 0 until index) if (!members[i].peek(permits, 0).isAllowed) throw SteppedAside(i)
            return result
        }
    }

    /** Back to the line of an earlier limiter, through the lines between. */
    private class SteppedAside(
        val to: Int,
    ) : RuntimeException(null, null, false, false)

    /** A refusal that no waiting in earlier lines will change. */
    private class Ended(
        val result: RateLimitResult,
    ) : RuntimeException(null, null, false, false)
}

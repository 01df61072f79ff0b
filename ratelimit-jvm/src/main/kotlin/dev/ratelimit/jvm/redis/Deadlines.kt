package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.store.Timer
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicBoolean

/**
 * Ends requests that were not answered in time. All have the same time, so the oldest is the first to end, and one look at the head of a
 * queue every few milliseconds does for all. Nothing runs while nothing is asked.
 *
 * @param deadlineNanos the time that a request has
 * @param also done at each look
 */
internal class Deadlines(
    private val deadlineNanos: Long,
    private val also: () -> Unit,
) {
    private val pending = ConcurrentLinkedQueue<Request<*>>()
    private val isLooking = AtomicBoolean()
    private var lookedAt = 0L
    private var hasPassed = false

    fun watch(request: Request<*>) {
        pending += request
        if (!isLooking.get() && isLooking.compareAndSet(false, true)) {
            lookedAt = System.nanoTime()
            Timer.after(BETWEEN_LOOKS, ::look)
        }
    }

    /** Waits until nothing that was asked is unanswered, at most for a time. */
    fun await(
        time: Long,
        unit: TimeUnit,
    ) {
        val all = pending.map { it.answer.handle { _, _ -> } }.toTypedArray()
        CompletableFuture.allOf(*all).completeOnTimeout(null, time, unit).join()
    }

    private fun look() {
        val now = System.nanoTime()
        // After a stall of this process, answers may be here already and only wait to be read: one look is passed over, not two.
        hasPassed = now - lookedAt > STALL && !hasPassed
        lookedAt = now
        try {
            if (!hasPassed) {
                expire(now)
                also()
            }
        } finally {
            lookAgain()
        }
    }

    private fun lookAgain() {
        if (pending.isEmpty()) {
            isLooking.set(false)
            if (pending.isEmpty() || !isLooking.compareAndSet(false, true)) return
        }
        Timer.after(BETWEEN_LOOKS, ::look)
    }

    private fun expire(now: Long) {
        while (true) {
            val oldest = pending.peek() ?: return
            if (!oldest.answer.isDone) {
                if (now - oldest.bornAt < deadlineNanos) return
                oldest.fail(unanswered(deadlineNanos))
            }
            pending.poll()
        }
    }

    private companion object {
        const val BETWEEN_LOOKS = 10_000_000L
        const val STALL = 40_000_000L
    }
}

/** Why there is no answer after the time that a question has. */
internal fun unanswered(deadlineNanos: Long) =
    RateLimitStoreException("Redis did not answer within ${TimeUnit.NANOSECONDS.toMillis(deadlineNanos)} ms", null)

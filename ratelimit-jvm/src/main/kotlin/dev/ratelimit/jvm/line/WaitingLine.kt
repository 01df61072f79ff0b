package dev.ratelimit.jvm.line

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimitResult
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.onClosed
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.withTimeoutOrNull
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration.Companion.nanoseconds

/**
 * Those who wait for the permits of one limiter and key: first in, first out.
 *
 * The line is a fair mutex. Whoever holds it is the head: it sleeps until its turn, asks the gate, and passes the mutex
 * on. Nothing is charged before a caller's own turn, and the charge is the last thing that happens before the call returns, so whoever
 * leaves (cancelled, timed out, interrupted) has cost nothing, and there is no reservation that could be lost or leaked. The head runs
 * where its caller runs: a caller that blocks its own dispatcher holds up those behind it.
 *
 * The line runs on schedule time. A timer fires a little late; the head is charged at the instant at which it was due, not at the one
 * at which it woke, and the next one's turn follows from there. [lag] is how far the schedule is behind the clock: only ever as
 * long as timers were late, at most [MAX_LAG], and nothing any more once the bucket is full.
 */
internal class WaitingLine(
    private val maxWaiters: Int,
) {
    private val head = Mutex()
    private val queued = AtomicLong()
    private val retimed = Channel<Unit>(Channel.CONFLATED)

    @Volatile
    private var waiting = 0

    @Volatile
    private var lag = 0L

    /** The instant of the schedule at which the bucket will be full if nobody asks again; from then on nothing is behind. */
    @Volatile
    private var busyUntil = 0L

    /** Whether somebody waits, so that others must not overtake. */
    val isOccupied: Boolean get() = waiting > 0

    /** How many wait. */
    val waiters: Int get() = waiting

    /** The permits that those in line wait for. */
    val queuedPermits: Long get() = queued.get()

    /** How far a call at [now] may be charged in the past, because turns that timers missed are still to be made up for. */
    fun behind(
        gate: Gate,
        now: Long,
    ): Long {
        val behind = lag
        return if (behind > 0 && gate.chargesAtTurn && now - behind - busyUntil < 0) behind else 0
    }

    /** Remembers where the schedule stands after a grant [behind] the clock, at the instant [at]. */
    fun granted(
        at: Long,
        behind: Long,
        result: RateLimitResult,
    ) {
        if (behind == 0L && lag == 0L) return
        busyUntil = at + result.resetAfterNanos()
        lag = behind
    }

    /** Lets the head look again: limits were changed, or permits came back. */
    fun retime() {
        retimed.trySend(Unit).onClosed { error("a line is never closed") }
    }

    /** Takes a place at the end of the line, unless it is full. A place that was taken is given up by [leave]. */
    fun tryEnter(permits: Long): Boolean {
        while (true) {
            val count = waiting
            if (count >= maxWaiters) return false
            if (WAITING.compareAndSet(this, count, count + 1)) {
                queued.addAndGet(permits)
                return true
            }
        }
    }

    fun leave(permits: Long) {
        queued.addAndGet(-permits)
        WAITING.decrementAndGet(this)
    }

    /**
     * Waits for the head of the line, then for the permits; gives up the caller's place, which [tryEnter] took, in any case.
     * [maxWait] counts from the instant [start]; [Long.MAX_VALUE] for no bound.
     */
    suspend fun await(
        gate: Gate,
        permits: Long,
        start: Long,
        maxWait: Long,
    ): Turn {
        var locked = false
        try {
            if (maxWait == Long.MAX_VALUE) {
                // Not in a function of its own, whose frame every waiter would keep.
                head.lock()
                locked = true
            } else {
                locked = lockWithin(gate, start, maxWait)
            }
            return if (locked) atHead(gate, permits, start, maxWait) else Turn.TimedOut
        } finally {
            leave(permits)
            if (locked) head.unlock()
        }
    }

    private suspend fun lockWithin(
        gate: Gate,
        start: Long,
        maxWait: Long,
    ): Boolean {
        if (head.tryLock()) return true
        // Not the block's result but this flag tells who holds the mutex: the time may run out after the lock.
        var locked = false
        var ended = false
        try {
            withTimeoutOrNull((maxWait - (gate.clock.nanoTime() - start)).nanoseconds) {
                head.lock()
                locked = true
            }
            ended = true
            return locked
        } finally {
            if (locked && !ended) head.unlock()
        }
    }

    private suspend fun atHead(
        gate: Gate,
        permits: Long,
        start: Long,
        maxWait: Long,
    ): Turn {
        var behind = behind(gate, gate.clock.nanoTime())
        while (true) {
            val now = gate.clock.nanoTime()
            val left = if (maxWait == Long.MAX_VALUE) Long.MAX_VALUE else maxWait - (now - start)
            val result = gate.tryAcquire(now - behind, permits, left.coerceAtLeast(0))
            if (result.isAllowed) {
                granted(now - behind, behind, result)
                return Turn.Granted(result)
            }
            val wait = result.retryAfterNanos() - behind
            if (wait <= 0) {
                behind = -wait
                continue
            }
            if (wait > left || result.limit().algorithm() == Algorithm.LEAKY_BUCKET) return Turn.Refused(result, wait)
            val time = gate.sleepFor(wait).coerceAtMost(left)
            val woken = sleep(time)
            val late = gate.clock.nanoTime() - now - time
            behind = if (!woken && gate.chargesAtTurn) late.coerceIn(0, MAX_LAG) else 0
        }
    }

    /** Waits until the turn, or until somebody says that it has changed; true for the latter. */
    private suspend fun sleep(wait: Long): Boolean {
        // No timer for a turn that time alone will never bring.
        if (wait == Long.MAX_VALUE) return retimed.receive().let { true }
        return withTimeoutOrNull(wait.nanoseconds) { retimed.receive() } != null
    }

    internal companion object {
        /** The most that the schedule may be behind: after a longer stall the permits missed are not made up for. */
        const val MAX_LAG = 10_000_000L

        private val WAITING = AtomicIntegerFieldUpdater.newUpdater(WaitingLine::class.java, "waiting")
    }
}

/** How waiting in line ended. */
internal sealed interface Turn {
    class Granted(
        val result: RateLimitResult,
    ) : Turn

    class Refused(
        val result: RateLimitResult,
        val wait: Long,
    ) : Turn

    /** The time was over before the head of the line was reached. */
    data object TimedOut : Turn
}

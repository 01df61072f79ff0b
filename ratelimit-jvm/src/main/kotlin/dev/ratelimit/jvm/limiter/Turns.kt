package dev.ratelimit.jvm.limiter

import dev.ratelimit.RateLimitResult
import dev.ratelimit.spi.Reservation
import java.util.concurrent.CompletableFuture

/**
 * Turns that a store behind a wire has granted to one line ahead of time, in order. The head of the line uses them, one after another;
 * half-way through, the next ones are asked for. Thread-safe.
 *
 * @param ask asks for up to so many turns of so many permits
 * @param giveBack returns so many turns of so many permits
 */
internal class Turns(
    private val clock: () -> Long,
    private val ask: (Long, Int) -> CompletableFuture<Reservation>,
    private val giveBack: (Long, List<Long>) -> Unit,
) {
    private val dues = ArrayDeque<Long>()
    private var permits = 0L
    private var grant: RateLimitResult? = null
    private var batch = 0
    private var asked: CompletableFuture<Reservation>? = null
    private var isClosed = false

    /** Permits that are reserved and not yet used. */
    val reserved: Long @Synchronized get() = dues.size * permits

    /**
     * A grant, if the next turn has come; how long to wait for it; or null when there is none, and [more] is to be called.
     *
     * @param waiting how many wait in line, the caller among them
     */
    @Synchronized
    fun next(
        wanted: Long,
        waiting: Int,
    ): RateLimitResult? {
        if (wanted != permits) returnAll()
        val due = dues.firstOrNull() ?: return null
        val result = checkNotNull(grant)
        val wait = due - clock()
        if (wait > 0) return RateLimitResult.denied(result.limit(), 0, wait, result.resetAfterNanos())
        dues.removeFirst()
        val behind = waiting - 1 - dues.size
        if (behind > 0 && dues.size <= batch / 2 && batch > 1 && asked == null) asking(behind)
        return RateLimitResult.allowed(result.limit(), result.remaining(), result.resetAfterNanos(), 0)
    }

    /** Asks for turns, unless that is under way; completes when they are there. */
    @Synchronized
    fun more(
        wanted: Long,
        waiting: Int,
    ): CompletableFuture<Reservation> {
        asked?.let { return it }
        permits = wanted
        return asking(waiting)
    }

    private fun asking(count: Int): CompletableFuture<Reservation> {
        val size = permits
        val told = CompletableFuture<Reservation>()
        asked = told
        ask(size, count.coerceIn(1, MOST)).whenComplete { reservation, failure ->
            if (failure != null) {
                synchronized(this) { asked = null }
                told.completeExceptionally(failure)
            } else {
                keep(size, reservation)
                told.complete(reservation)
            }
        }
        return told
    }

    @Synchronized
    private fun keep(
        size: Long,
        reservation: Reservation,
    ) {
        asked = null
        val now = clock()
        val turns = List(reservation.turns()) { now + reservation.waitNanos(it) }
        if (isClosed || size != permits) {
            if (turns.isNotEmpty()) giveBack(size, turns)
        } else if (turns.isNotEmpty()) {
            dues += turns
            batch = turns.size
            grant = reservation.result()
        }
    }

    /** Gives back what is not used. */
    @Synchronized
    fun returnAll() {
        if (dues.isNotEmpty()) giveBack(permits, dues.toList())
        dues.clear()
        permits = 0
    }

    /** Gives back what is not used, and what is still to come. */
    @Synchronized
    fun close() {
        isClosed = true
        returnAll()
    }

    private companion object {
        const val MOST = 1_000
    }
}

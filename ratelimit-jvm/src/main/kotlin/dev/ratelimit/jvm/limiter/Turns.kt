package dev.ratelimit.jvm.limiter

import dev.ratelimit.RateLimitResult
import dev.ratelimit.spi.Reservation
import java.util.concurrent.CompletableFuture

/** Turns of one reservation that nobody used. */
internal class Unused(
    /** How many permits they are. */
    val permits: Long,
    val result: RateLimitResult,
    /** When they were asked for; they were charged later than that. */
    val askedAt: Long,
)

/**
 * Turns that a store behind a wire has granted to one line ahead of time, in order. The head of the line uses them, one after another;
 * half-way through, the next ones are asked for. Thread-safe.
 *
 * @param ask asks for up to so many turns of so many permits
 * @param giveBack returns what was not used
 */
internal class Turns(
    private val clock: () -> Long,
    private val ask: (Long, Int) -> CompletableFuture<Reservation>,
    private val giveBack: (Unused) -> Unit,
) {
    private class Batch(
        val result: RateLimitResult,
        val askedAt: Long,
    )

    private class Turn(
        val due: Long,
        val of: Batch,
    )

    private val turns = ArrayDeque<Turn>()

    /** The permits of a turn, of those that are here and those that are asked for. */
    private var size = 0L
    private var lastBatch = 0
    private var asked: CompletableFuture<RateLimitResult?>? = null
    private var isClosed = false

    /** Whatever was asked for before the bucket was forgotten is nothing any more. */
    private var forgotten = 0

    /** Permits that are reserved and not yet used. */
    val reserved: Long @Synchronized get() = turns.size * size

    /** Permits that were used. */
    var used = 0L
        @Synchronized get
        private set

    /** Completes when what is under way is over; null if nothing is. */
    val underWay: CompletableFuture<*>? @Synchronized get() = asked

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
        if (wanted != size) returnAll()
        val turn = turns.firstOrNull() ?: return null
        val result = turn.of.result
        val wait = turn.due - clock()
        if (wait > 0) return RateLimitResult.denied(result.limit(), 0, wait, result.resetAfterNanos().coerceAtLeast(wait))
        turns.removeFirst()
        used += size
        val behind = waiting - 1 - turns.size
        if (behind > 0 && turns.size <= lastBatch / 2 && lastBatch > 1 && asked == null) asking(behind)
        return RateLimitResult.allowed(result.limit(), result.remaining(), result.resetAfterNanos(), 0)
    }

    /** What a caller behind [ahead] permits has to expect, if his turn is here already. */
    @Synchronized
    fun expected(
        wanted: Long,
        ahead: Long,
    ): RateLimitResult? {
        if (wanted != size || ahead >= reserved) return null
        val turn = turns[((ahead + size - 1) / size).toInt().coerceAtMost(turns.size - 1)]
        val wait = (turn.due - clock()).coerceAtLeast(1)
        return RateLimitResult.denied(turn.of.result.limit(), 0, wait, turn.of.result.resetAfterNanos().coerceAtLeast(wait))
    }

    /** Asks for turns, unless that is under way. Completes with a refusal, or with null when it is worth to look again. */
    @Synchronized
    fun more(
        wanted: Long,
        waiting: Int,
    ): CompletableFuture<RateLimitResult?> {
        asked?.let { other -> return if (wanted == size) other else other.handle { _, _ -> null } }
        // What was under way when the caller looked may have come since.
        if (wanted != size) {
            returnAll()
        } else if (turns.isNotEmpty()) {
            return CompletableFuture.completedFuture(null)
        }
        size = wanted
        return asking(waiting)
    }

    private fun asking(count: Int): CompletableFuture<RateLimitResult?> {
        val told = CompletableFuture<RateLimitResult?>()
        val askedAt = clock()
        val before = forgotten
        asked = told
        ask(size, count.coerceIn(1, MOST)).whenComplete { reservation, failure ->
            if (failure != null) {
                synchronized(this) { asked = null }
                told.completeExceptionally(failure)
            } else {
                keep(reservation, Batch(reservation.result(), askedAt), before)
                told.complete(reservation.result().takeUnless { it.isAllowed })
            }
        }
        return told
    }

    @Synchronized
    private fun keep(
        reservation: Reservation,
        batch: Batch,
        before: Int,
    ) {
        asked = null
        if (before != forgotten) return
        val now = clock()
        repeat(reservation.turns()) { turns += Turn(now + reservation.waitNanos(it), batch) }
        lastBatch = reservation.turns()
        if (isClosed) returnAll()
    }

    /** Gives back what is not used. */
    @Synchronized
    fun returnAll() {
        turns.groupingBy { it.of }.eachCount().forEach { (batch, count) -> giveBack(Unused(count * size, batch.result, batch.askedAt)) }
        turns.clear()
    }

    /** The permits of these turns are gone with their bucket. */
    @Synchronized
    fun forget() {
        turns.clear()
        forgotten++
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

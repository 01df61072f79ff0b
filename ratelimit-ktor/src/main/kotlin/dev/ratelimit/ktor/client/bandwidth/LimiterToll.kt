package dev.ratelimit.ktor.client.bandwidth

import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.acquire
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.job

/** A byte is a permit of each of [limiters]. */
internal class LimiterToll(
    private val limiters: List<RateLimiter>,
) : Toll {
    private val taken = LongArray(limiters.size)

    @Volatile
    private var payer: Job? = null

    @Volatile
    private var ending: CancellationException? = null

    /**
     * A part of the burst, so that what is refilled while a chunk is on its way, or while a timer fires late, finds room; and not much,
     * so that those who share a limiter take turns often.
     */
    override val chunk: Long get() = (limiters.minOf(RateLimiter::burst) / CHUNKS_PER_BURST).coerceIn(1, LARGEST_CHUNK)

    override suspend fun pay(bytes: Long) {
        taken.fill(0)
        var isPaid = false
        try {
            // A scope only so that end can reach whoever waits.
            coroutineScope {
                payer = coroutineContext.job
                ending?.let { throw it }
                limiters.forEachIndexed { i, limiter -> take(i, limiter, bytes) }
            }
            isPaid = true
        } finally {
            payer = null
            if (!isPaid) undo()
        }
    }

    private suspend fun take(
        place: Int,
        limiter: RateLimiter,
        bytes: Long,
    ) {
        while (taken[place] < bytes) {
            val part = minOf(bytes - taken[place], limiter.burst)
            try {
                limiter.acquire(part)
            } catch (e: IllegalArgumentException) {
                // The burst was lowered in the meantime.
                if (part > limiter.burst) continue
                throw e
            }
            taken[place] += part
        }
    }

    override fun undo() {
        limiters.forEachIndexed { i, limiter -> limiter.giveBack(taken[i]) }
        taken.fill(0)
    }

    /** Gives back what was paid for bytes of earlier chunks. */
    fun refund(bytes: Long) = limiters.forEach { it.giveBack(bytes) }

    override fun end(cause: Throwable?) {
        val ended = CancellationException("the body was cancelled", cause)
        ending = ended
        payer?.cancel(ended)
    }

    private companion object {
        const val CHUNKS_PER_BURST = 4

        /** As much as one of Ktor's channels holds. */
        const val LARGEST_CHUNK = 1024 * 1024L
    }
}

/** The most permits that the limiter grants at once. */
private val RateLimiter.burst: Long get() = limits().minOf { it.burst() }

private fun RateLimiter.giveBack(permits: Long) {
    if (permits > 0) settleAsync(permits, 0)
}

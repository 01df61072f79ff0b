package dev.ratelimit.ktor.server.decision

import dev.ratelimit.RateLimitResult
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.LocalRateLimitStore
import dev.ratelimit.spi.RateLimitStore
import kotlinx.coroutines.future.await

/** Asks the store: all charges of a call in one question. */
internal class Asker(
    private val store: RateLimitStore,
) {
    private val local = store as? LocalRateLimitStore

    /** @throws dev.ratelimit.RateLimitStoreException if the store cannot answer */
    suspend fun ask(charges: List<Charge>): RateLimitResult =
        when {
            local != null -> local.tryAcquire(charges, local.clock().nanoTime(), Long.MAX_VALUE)
            store.reachesTogether(charges.map { it.key }) -> store.tryAcquireAsync(charges, Long.MAX_VALUE).await()
            else -> askInTurn(charges)
        }

    /** On a cluster, limits of different keys are on different servers: what some have granted is given back when another refuses. */
    private suspend fun askInTurn(charges: List<Charge>): RateLimitResult {
        val granted = ArrayList<Charge>()
        var scarcest: RateLimitResult? = null
        var delay = 0L
        var isComplete = false
        try {
            for (together in charges.groupBy { it.key.limiter() to it.key.key() }.values) {
                val result = store.tryAcquireAsync(together, Long.MAX_VALUE).await()
                if (!result.isAllowed) return result
                granted += together
                delay = maxOf(delay, result.delayNanos())
                if (scarcest == null || result.remaining() < scarcest.remaining()) scarcest = result
            }
            isComplete = true
            return checkNotNull(scarcest).run { RateLimitResult.allowed(limit(), remaining(), resetAfterNanos(), delay) }
        } finally {
            if (!isComplete) giveBackCharges(granted)
        }
    }

    /** @throws dev.ratelimit.RateLimitStoreException if the store cannot answer */
    suspend fun peek(charge: Charge): RateLimitResult =
        local?.peek(listOf(charge), local.clock().nanoTime(), 0) ?: store.peekAsync(listOf(charge), 0).await()

    /** Best effort: while the store is away nothing can be given back. */
    fun giveBack(asked: List<Asked>) = giveBackCharges(asked.map { it.charge })

    private fun giveBackCharges(charges: List<Charge>) {
        if (charges.isEmpty()) return
        val adjustments = charges.map { Adjustment(it.key, it.limit, -it.permits) }
        if (store.reachesTogether(charges.map { it.key })) {
            store.adjustAsync(adjustments)
        } else {
            adjustments.forEach { store.adjustAsync(listOf(it)) }
        }
    }
}

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
        local?.tryAcquire(charges, local.clock().nanoTime(), Long.MAX_VALUE) ?: store.tryAcquireAsync(charges, Long.MAX_VALUE).await()

    /** @throws dev.ratelimit.RateLimitStoreException if the store cannot answer */
    suspend fun peek(charge: Charge): RateLimitResult =
        local?.peek(listOf(charge), local.clock().nanoTime(), 0) ?: store.peekAsync(listOf(charge), 0).await()

    /** Best effort: while the store is away nothing can be given back. */
    fun giveBack(asked: List<Asked>) {
        if (asked.isNotEmpty()) store.adjustAsync(asked.map { Adjustment(it.charge.key, it.charge.limit, -it.charge.permits) })
    }
}

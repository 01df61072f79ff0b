package dev.ratelimit.ktor.server.decision

import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.ktor.server.monitoring.Questions
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.LocalRateLimitStore
import dev.ratelimit.spi.RateLimitStore
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import org.slf4j.LoggerFactory
import java.util.concurrent.CompletionStage

/** Asks the store: all charges of a call in one question. */
internal class Asker(
    private val store: RateLimitStore,
) {
    private val local = store as? LocalRateLimitStore

    /** Whether a question costs next to nothing. */
    val isLocal: Boolean get() = local != null

    /**
     * @param maxWait for how many nanoseconds at most a call may have to wait for its turn
     * @throws dev.ratelimit.RateLimitStoreException if the store cannot answer
     */
    suspend fun ask(
        charges: List<Charge>,
        maxWait: Long,
    ): RateLimitResult =
        when {
            local != null -> local.tryAcquire(charges, local.clock().nanoTime(), maxWait)
            store.reachesTogether(charges.map { it.key }) -> askAway(charges, maxWait)
            else -> askInTurn(charges, maxWait)
        }

    /** Whoever does not wait for the answer any more is charged nothing, whenever it comes. */
    private suspend fun askAway(
        charges: List<Charge>,
        maxWait: Long,
    ): RateLimitResult {
        var asked: CompletionStage<RateLimitResult>? = null
        var isTold = false
        try {
            // A copy is awaited: what is awaited is cancelled with whoever waits, and then tells nothing.
            val result = answer { store.tryAcquireAsync(charges, maxWait).also { asked = it }.thenApply { it } }
            isTold = true
            return result
        } finally {
            if (!isTold) asked?.thenAccept { if (it.isAllowed) giveBackCharges(charges) }
        }
    }

    /** On a cluster, limits of different keys are on different servers: what some have granted is given back when another refuses. */
    private suspend fun askInTurn(
        charges: List<Charge>,
        maxWait: Long,
    ): RateLimitResult {
        val granted = ArrayList<Charge>()
        var scarcest: RateLimitResult? = null
        var delay = 0L
        var isComplete = false
        try {
            for (together in charges.groupBy { it.key.limiter() to it.key.key() }.values) {
                val result = askAway(together, maxWait)
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
        local?.peek(listOf(charge), local.clock().nanoTime(), 0) ?: answer { store.peekAsync(listOf(charge), 0) }

    /**
     * Each by itself, all in one go.
     *
     * @throws dev.ratelimit.RateLimitStoreException if the store cannot answer
     */
    suspend fun peekAll(charges: List<Charge>): List<RateLimitResult> {
        if (local != null) return charges.map { peek(it) }
        val asked = charges.map { charge -> runCatching { store.peekAsync(listOf(charge), 0) } }
        return asked.map { answer { it.getOrThrow() } }
    }

    /** As [peekAll]; null if the store cannot answer. */
    suspend fun peekAllOrNull(charges: List<Charge>): List<RateLimitResult>? =
        try {
            peekAll(charges)
        } catch (_: RateLimitStoreException) {
            null
        }

    /** Whatever goes wrong in a store is its being away: it may fail in its own words, or forget to answer. */
    @Suppress("TooGenericExceptionCaught")
    private suspend fun <T> answer(question: () -> CompletionStage<T>): T =
        try {
            Questions.inTime(question)
        } catch (e: RateLimitStoreException) {
            throw e
        } catch (e: CancellationException) {
            // This call's own, or that of an answer.
            currentCoroutineContext().ensureActive()
            throw RateLimitStoreException("the store has cancelled its answer", e)
        } catch (e: Exception) {
            throw RateLimitStoreException("the store has failed: $e", e)
        }

    /** Best effort: while the store is away nothing can be given back. */
    fun giveBack(asked: List<Asked>) = giveBackCharges(asked.map { it.charge })

    @Suppress("TooGenericExceptionCaught")
    fun giveBackCharges(charges: List<Charge>) {
        if (charges.isEmpty()) return
        val adjustments = charges.map { Adjustment(it.key, it.limit, -it.permits) }
        try {
            val together = if (store.reachesTogether(charges.map { it.key })) listOf(adjustments) else adjustments.map(::listOf)
            together.forEach { store.adjustAsync(it) }
        } catch (e: Exception) {
            log.debug("permits could not be given back", e)
        }
    }

    private companion object {
        val log = LoggerFactory.getLogger("dev.ratelimit.ktor.server.RateLimiting")
    }
}

package dev.ratelimit.ktor.client.learning

import dev.ratelimit.Algorithm
import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.ktor.client.rules.Target
import dev.ratelimit.ktor.client.rules.TargetId
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.RateLimitStore
import kotlinx.coroutines.future.await
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import java.math.RoundingMode
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.toJavaDuration

/**
 * Pauses of buckets. A pause is a debt of the bucket itself (see [PauseLimit]), so it holds for all who share the store. Token buckets come
 * out of it empty, not full: who has just been turned away does not begin with a burst. A pause is never shortened, nor added to another.
 */
internal class Pauses(
    private val store: RateLimitStore,
    private val clock: NanoClock,
) {
    private val ends = Recent<TargetId, AtomicLong>(MOST_KNOWN)
    private val extending = Mutex()

    /** How long [target] is paused for, as far as this process knows: permits that were on their way may still arrive. */
    fun left(target: Target): Duration {
        val end = ends[{ target.id }] ?: return Duration.ZERO
        return (end.get() - clock.nanoTime()).coerceAtLeast(0).nanoseconds
    }

    /**
     * Pauses [target] for [pause] at least, and for [jitter] more if that makes it longer than it is. Whether it does; the store's failure
     * is thrown.
     */
    suspend fun pause(
        target: Target,
        pause: Duration,
        jitter: Duration,
    ): Boolean {
        if (left(target) >= pause) return false
        return extending.withLock {
            if (left(target) >= pause) return@withLock false
            // Before the store is asked, so that this never ends after the debt does.
            val now = clock.nanoTime()
            val known = ends.getOrPut(target.id) { AtomicLong(now) }
            val all = target.rule.limits + PauseLimit.beside(target.rule.limits)
            val answers = all.mapIndexed { slot, limit -> store.peekAsync(listOf(Charge(target.bucket(slot), limit, 1)), 0).await() }
            val already = answers.last().retryAfterNanos().nanoseconds
            val wanted = if (already >= pause) already else pause + jitter
            if (wanted > already) store.adjustAsync(debts(target, all, answers, wanted)).await()
            known.set(now + wanted.inWholeNanoseconds)
            wanted > already
        }
    }

    private fun debts(
        target: Target,
        limits: List<RateLimit>,
        answers: List<RateLimitResult>,
        pause: Duration,
    ): List<Adjustment> =
        limits.indices.mapNotNull { slot ->
            val limit = limits[slot]
            val answer = answers[slot]
            val isPause = slot == limits.lastIndex
            if (limit.algorithm() != Algorithm.TOKEN_BUCKET) return@mapNotNull null
            val missing = (pause - answer.retryAfterNanos().nanoseconds).coerceAtLeast(Duration.ZERO).toJavaDuration()
            val permits =
                when {
                    // Never shorter than was said, by a part of a permit rather longer.
                    isPause -> answer.remaining() + PauseLimit.permitsIn(limit, missing, RoundingMode.CEILING)
                    // The others have one permit when the pause ends.
                    else -> answer.remaining() - (if (answer.isAllowed) 1 else 0) + PauseLimit.permitsIn(limit, missing, RoundingMode.FLOOR)
                }
            if (permits > 0) Adjustment(target.bucket(slot), limit, permits) else null
        }

    private fun Target.bucket(slot: Int) = BucketKey(rule.name, key, slot)

    private companion object {
        const val MOST_KNOWN = 10_000
    }
}

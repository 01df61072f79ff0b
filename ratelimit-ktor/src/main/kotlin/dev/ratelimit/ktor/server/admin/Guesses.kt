package dev.ratelimit.ktor.server.admin

import dev.ratelimit.NanoClock
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.perMinute
import kotlinx.coroutines.sync.Semaphore
import kotlinx.coroutines.sync.withPermit
import java.util.concurrent.ConcurrentHashMap

/** How a try to get in went. */
internal sealed interface Guess {
    data object Right : Guess

    data object Wrong : Guess

    /** Not looked at: there were too many wrong ones before. */
    class TooMany(
        val retryAfterNanos: Long,
    ) : Guess
}

/**
 * Bounds how often a client can guess wrong. A try is charged before it is looked at and gets its permit back if it was right, so that
 * many tries at once are not more than the limit. Only half as many as the limit are looked at at once, the others wait: calls that are
 * right do not keep each other out.
 */
internal class Guesses(
    clock: NanoClock,
) {
    private class Looking(
        val places: Semaphore,
        val users: Int,
    )

    private val wrong = KeyedRateLimiter<String>("admin guesses", MOST.perMinute, store = MemoryStore(clock, MOST_CLIENTS))
    private val looking = ConcurrentHashMap<String, Looking>()

    suspend fun attempt(
        client: String,
        isRight: suspend () -> Boolean,
    ): Guess {
        val limiter = wrong[client]
        val now = limiter.peek()
        if (!now.isAllowed) return Guess.TooMany(now.retryAfterNanos())
        return inTurn(client) {
            val charged = limiter.tryAcquire()
            when {
                !charged.isAllowed -> {
                    Guess.TooMany(charged.retryAfterNanos())
                }
                isRight() -> {
                    limiter.settle(1, 0)
                    Guess.Right
                }
                else -> {
                    Guess.Wrong
                }
            }
        }
    }

    private suspend fun <T> inTurn(
        client: String,
        look: suspend () -> T,
    ): T {
        val places =
            checkNotNull(
                looking.compute(client) { _, known -> Looking(known?.places ?: Semaphore(MOST / 2), (known?.users ?: 0) + 1) },
            ).places
        try {
            return places.withPermit { look() }
        } finally {
            looking.computeIfPresent(client) { _, known -> if (known.users == 1) null else Looking(known.places, known.users - 1) }
        }
    }

    private companion object {
        const val MOST = 10
        const val MOST_CLIENTS = 100_000
    }
}

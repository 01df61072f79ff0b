package dev.ratelimit.ktor.client.passage

import dev.ratelimit.ktor.client.rules.TargetId
import kotlinx.coroutines.sync.Semaphore
import kotlinx.coroutines.withTimeoutOrNull
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.time.Duration

/** At most so many requests at once for each bucket; first in, first out. Keys are kept only while they are used. */
internal class InFlight(
    private val most: Int,
) {
    private class Used(
        val places: Semaphore,
        val users: Int,
    )

    private val used = ConcurrentHashMap<TargetId, Used>()

    /** A place of one request, to be released once; more often does nothing. */
    inner class Place(
        private val key: TargetId,
        private val places: Semaphore,
    ) {
        private val isHeld = AtomicBoolean(true)

        fun release() {
            if (!isHeld.compareAndSet(true, false)) return
            places.release()
            done(key)
        }
    }

    /** A place that is free now, or null. */
    fun tryEnter(key: TargetId): Place? {
        val places = use(key)
        if (places.tryAcquire()) return Place(key, places)
        done(key)
        return null
    }

    /** Suspends until there is a place; who is cancelled has none. */
    suspend fun enter(key: TargetId): Place {
        val places = use(key)
        var isIn = false
        try {
            places.acquire()
            isIn = true
        } finally {
            if (!isIn) done(key)
        }
        return Place(key, places)
    }

    /** Null if there is no place in time. */
    suspend fun enterWithin(
        key: TargetId,
        maxWait: Duration,
    ): Place? {
        if (maxWait.isInfinite()) return enter(key)
        var place: Place? = null
        var hasEnded = false
        try {
            withTimeoutOrNull(maxWait) { place = enter(key) }
            hasEnded = true
        } finally {
            // Cancelled when the place had just come.
            if (!hasEnded) place?.release()
        }
        return place
    }

    private fun use(key: TargetId): Semaphore =
        checkNotNull(used.compute(key) { _, known -> Used(known?.places ?: Semaphore(most), (known?.users ?: 0) + 1) }).places

    private fun done(key: TargetId) {
        used.computeIfPresent(key) { _, known -> if (known.users == 1) null else Used(known.places, known.users - 1) }
    }
}

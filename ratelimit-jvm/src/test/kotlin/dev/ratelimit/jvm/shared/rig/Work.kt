package dev.ratelimit.jvm.shared.rig

import dev.ratelimit.LocalRateLimiter
import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.RateLimiters
import dev.ratelimit.jvm.SharedMemoryStore
import java.util.SplittableRandom
import java.util.concurrent.locks.LockSupport

/** What a child does in a thread of its own. */
internal interface Work {
    fun run()

    /** Ends it after the call that is under way, unless it ends at an instant anyway. */
    fun stop() = Unit
}

/** Calls on all kinds of bucket in random order, without an end. Rests for so long after each millisecond of it. */
internal class Mix(
    private val store: SharedMemoryStore,
    private val tally: Tally,
    private val from: Long,
    seed: Long,
    private val restMicros: Long,
) : Work {
    private val random = SplittableRandom(seed)
    private val kinds = Kind.values()
    private val watch = StallWatch(tally)

    @Volatile
    private var stopped = false

    override fun run() {
        while (!stopped) {
            val end = System.nanoTime() + NANOS_OF_WORK
            watch.begin()
            do {
                val kind = kinds[random.nextInt(kinds.size)]
                val charges = kind.charges(kind.key(System.nanoTime() - from, random::nextLong))
                val called = System.nanoTime()
                val granted = store.tryAcquire(charges, store.clock().nanoTime(), Long.MAX_VALUE).isAllowed
                if (granted) tally.add(kind.ordinal, 1)
                tally.add(Tally.ANSWERS, 1)
                watch.answered(called, kind)
            } while (System.nanoTime() - end < 0)
            if (restMicros > 0) LockSupport.parkNanos(restMicros * NANOS_PER_MICRO)
        }
    }

    override fun stop() {
        stopped = true
    }

    private companion object {
        const val NANOS_OF_WORK = 1_000_000L
        const val NANOS_PER_MICRO = 1_000L
    }
}

/** Takes what it can get of one bucket, from an instant until another; what is answered later does not count. */
internal class Saturation(
    private val store: SharedMemoryStore,
    private val tally: Tally,
    private val from: Long,
    private val until: Long,
    private val rate: Double,
    private val burst: Long,
) : Work {
    override fun run() {
        val limiter = limiter(store, RateLimit.perSecond(rate).withBurst(burst))
        while (System.nanoTime() - from < 0) Thread.onSpinWait()
        while (true) {
            val granted = limiter.tryAcquire().isAllowed
            if (System.nanoTime() - until > 0) return
            if (granted) tally.add(0, 1)
            tally.add(Tally.ANSWERS, 1)
        }
    }

    companion object {
        fun limiter(
            store: SharedMemoryStore,
            limit: RateLimit,
        ): LocalRateLimiter = RateLimiters.builder("saturated").limits(limit).build(store)
    }
}

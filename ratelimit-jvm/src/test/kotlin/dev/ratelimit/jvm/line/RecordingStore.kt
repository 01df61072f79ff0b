package dev.ratelimit.jvm.line

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.LocalRateLimitStore
import kotlinx.coroutines.test.TestScope

/** A memory store that writes down what it charged and took back, in order, so that a test can compare it with what callers got. */
internal class RecordingStore(
    clock: NanoClock,
    private val memory: MemoryStore = MemoryStore(clock),
) : LocalRateLimitStore by memory {
    data class Entry(
        val at: Long,
        val permits: Long,
    )

    private val entries = mutableListOf<Entry>()

    /** Permits charged, less those given back. */
    val charged: Long get() = synchronized(this) { entries.sumOf { it.permits } }

    val journal: List<Entry> get() = synchronized(this) { entries.toList() }

    @Synchronized
    override fun tryAcquire(
        charges: List<Charge>,
        at: Long,
        maxDelayNanos: Long,
    ): RateLimitResult {
        val result = memory.tryAcquire(charges, at, maxDelayNanos)
        if (result.isAllowed) entries += Entry(at, charges.first().permits)
        return result
    }

    @Synchronized
    override fun adjust(adjustments: List<Adjustment>) {
        memory.adjust(adjustments)
        entries += Entry(memory.clock().nanoTime(), adjustments.first().permits)
    }
}

/** The virtual time of this test as a clock. */
internal val TestScope.clock: NanoClock get() = NanoClock { testScheduler.currentTime * NANOS_PER_MILLI }

internal const val NANOS_PER_MILLI = 1_000_000L

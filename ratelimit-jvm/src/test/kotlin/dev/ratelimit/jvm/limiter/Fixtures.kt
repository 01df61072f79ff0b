package dev.ratelimit.jvm.limiter

import ch.qos.logback.classic.Level
import ch.qos.logback.classic.Logger
import ch.qos.logback.classic.spi.ILoggingEvent
import ch.qos.logback.core.read.ListAppender
import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimitListener
import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.LocalRateLimitStore
import dev.ratelimit.spi.RateLimitStore
import kotlinx.coroutines.test.TestScope
import org.slf4j.LoggerFactory
import java.util.Collections
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration
import java.time.Duration as JavaDuration

/** The virtual time of a test as a clock. */
internal val TestScope.clock: NanoClock get() = NanoClock { testScheduler.currentTime * 1_000_000 }

/** Time that moves only when a test says so. */
internal class ManualClock : NanoClock {
    private val nanos = AtomicLong()

    override fun nanoTime(): Long = nanos.get()

    operator fun plusAssign(time: Duration) {
        nanos.addAndGet(time.inWholeNanoseconds)
    }
}

/** What limiters log during [action], at [level] and above; it goes nowhere else. */
internal fun logged(
    level: Level,
    action: () -> Unit,
): List<ILoggingEvent> {
    val logger = LoggerFactory.getLogger(RateLimiter::class.java) as Logger
    val appender = ListAppender<ILoggingEvent>().apply { start() }
    val before = logger.level
    logger.level = level
    logger.isAdditive = false
    logger.addAppender(appender)
    try {
        action()
    } finally {
        logger.detachAppender(appender)
        logger.isAdditive = true
        logger.level = before
    }
    return appender.list
}

/** A memory store that no limiter knows to be one. */
internal class ForeignLocalStore(
    private val memory: MemoryStore = MemoryStore(ManualClock()),
) : LocalRateLimitStore by memory

/** A store behind a wire that answers when [deliver] is called; at once while [isPrompt]. */
internal class WireStore(
    private val memory: MemoryStore = MemoryStore(ManualClock()),
    @Volatile var isPrompt: Boolean = true,
) : RateLimitStore {
    private val questions = Collections.synchronizedList(mutableListOf<() -> Unit>())

    /** Permits charged, less those given back. */
    val charged = AtomicLong()

    /** Completes with the first adjustment. */
    val adjusted = CompletableFuture<Adjustment>()

    /** Answers what was asked so far, on the calling thread. */
    fun deliver() = synchronized(questions) { questions.toList().also { questions.clear() } }.forEach { it() }

    override fun tryAcquireAsync(
        charges: List<Charge>,
        maxDelayNanos: Long,
    ) = asked {
        memory.tryAcquire(charges, memory.clock().nanoTime(), maxDelayNanos).also {
            if (it.isAllowed) charged += charges.first().permits
        }
    }

    override fun peekAsync(charges: List<Charge>) = asked { memory.peek(charges, memory.clock().nanoTime(), 0) }

    override fun adjustAsync(adjustments: List<Adjustment>): CompletionStage<Void?> =
        asked {
            memory.adjust(adjustments)
            charged += adjustments.first().permits
            adjusted.complete(adjustments.first())
            null
        }

    override fun resetAsync(keys: List<BucketKey>): CompletionStage<Void?> =
        asked {
            memory.reset(keys)
            null
        }

    private fun <T> asked(answer: () -> T): CompletionStage<T> {
        val future = CompletableFuture<T>()
        questions += { future.complete(answer()) }
        if (isPrompt) deliver()
        return future
    }

    private operator fun AtomicLong.plusAssign(permits: Long) {
        addAndGet(permits)
    }
}

/** Writes down what it is told. */
internal class Journal : RateLimitListener {
    val events: MutableList<String> = Collections.synchronizedList(mutableListOf())

    override fun onWait(
        limiter: String,
        key: Any?,
        permits: Long,
        expected: JavaDuration,
    ) {
        events += "$limiter/$key waits for $permits: $expected"
    }

    override fun onGrant(
        limiter: String,
        key: Any?,
        permits: Long,
        waited: JavaDuration,
    ) {
        events += "$limiter/$key got $permits after $waited"
    }

    override fun onRefusal(
        limiter: String,
        key: Any?,
        permits: Long,
        result: RateLimitResult,
    ) {
        events += "$limiter/$key refused $permits: ${result.refusal()} ${result.retryAfter()}"
    }

    override fun onStoreFailure(
        limiter: String,
        key: Any?,
        failure: RateLimitStoreException,
    ) {
        events += "$limiter/$key store: ${failure.message}"
    }
}

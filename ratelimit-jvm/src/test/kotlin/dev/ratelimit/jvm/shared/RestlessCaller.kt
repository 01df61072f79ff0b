package dev.ratelimit.jvm.shared

import dev.ratelimit.LocalRateLimiter
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.RateLimiters
import dev.ratelimit.jvm.SharedMemoryStore
import java.nio.file.Path
import java.time.Duration
import java.util.concurrent.atomic.AtomicLong
import java.util.concurrent.atomic.AtomicReferenceArray
import kotlin.concurrent.thread

/** A JVM whose threads ask a shared file without pause, each in another way, and tell what came of it in the last moments. */
internal object RestlessCaller {
    private const val WAYS = 4
    private const val REPORT_MILLIS = 100L
    private val decided = Array(WAYS) { AtomicLong() }
    private val failed = Array(WAYS) { AtomicLong() }
    private val odd = AtomicReferenceArray<String>(1)

    @Volatile
    private var sink = 0L

    /** The path of the file, and how many calls to make before saying that all is warm. */
    @JvmStatic
    fun main(arguments: Array<String>) {
        ChildJvm.endWithParent()
        val store = SharedMemoryStore.open(Path.of(arguments[0]), 1_000)
        val calls = arguments[1].toLong()
        val bucket = RateLimiters.create("bucket", store, RateLimit.perSecond(1_000.0))
        val log = RateLimiters.create("log", store, RateLimit.slidingLog(50, Duration.ofMillis(10)))
        val both = RateLimiters.create("both", store, RateLimit.perSecond(1_000.0), RateLimit.slidingWindow(100_000, Duration.ofMinutes(1)))
        val keyed = RateLimiters.keyed<Long>("keyed", store, RateLimit.perSecond(1_000.0))
        start(0) { bucket }
        start(1) { log }
        start(2) { both }
        start(3) { keyed.get(it % 5_000) }
        while ((0 until WAYS).any { decided[it].get() < calls / (1 + 9 * it) }) Thread.sleep(1)
        println("warm")
        report()
    }

    private fun start(
        way: Int,
        limiter: (Long) -> LocalRateLimiter,
    ) = thread(isDaemon = true) {
        while (true) {
            try {
                call(way, limiter)
            } catch (e: Throwable) {
                odd.set(0, "later: ${e.stackTraceToString().lines().take(8)}")
            }
        }
    }

    /** In one method, so that it is compiled as one: a fault that is noticed too late comes out in the sum. */
    private fun call(
        way: Int,
        limiter: (Long) -> LocalRateLimiter,
    ) {
        for (round in 0L until 10_000) {
            try {
                sink += limiter(round).tryAcquire().remaining()
                decided[way].incrementAndGet()
            } catch (e: RateLimitStoreException) {
                if (e.message.isNullOrBlank()) odd.set(0, "no message")
                failed[way].incrementAndGet()
            } catch (e: Throwable) {
                odd.set(0, "call: ${e.stackTraceToString().lines().take(8)}")
            }
            var sum = 0L
            for (i in 0 until 50) sum += i * round
            sink += sum
        }
    }

    /** One line for each moment: when, how the ways fared, and anything that should never be. */
    private fun report() {
        while (true) {
            val before = counts()
            Thread.sleep(REPORT_MILLIS)
            val after = counts()
            val ways = (0 until WAYS).joinToString("") { way ->
                val ok = after[way] > before[way]
                val not = after[WAYS + way] > before[WAYS + way]
                if (ok && not) {
                    "m"
                } else if (ok) {
                    "o"
                } else if (not) {
                    "f"
                } else {
                    "-"
                }
            }
            println("${System.nanoTime()} $ways${odd.get(0)?.let { " odd $it" }.orEmpty()}")
        }
    }

    private fun counts() = LongArray(2 * WAYS) { if (it < WAYS) decided[it].get() else failed[it - WAYS].get() }
}

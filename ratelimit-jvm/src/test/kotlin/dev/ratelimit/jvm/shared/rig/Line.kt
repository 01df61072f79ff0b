package dev.ratelimit.jvm.shared.rig

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.SharedMemoryStore
import dev.ratelimit.jvm.acquire
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import java.util.concurrent.Executors
import kotlin.time.Duration.Companion.nanoseconds

/** So many at a time wait for permits of one bucket, from an instant until another; who is served goes to the end of the line. */
internal class Line(
    private val store: SharedMemoryStore,
    private val tally: Tally,
    private val from: Long,
    private val until: Long,
    private val rate: Double,
    private val burst: Long,
    private val waiters: Int,
) : Work {
    /** All on one thread, so that the order in which they come and in which they are served is one that can be told. */
    override fun run() {
        val thread = Executors.newSingleThreadExecutor()
        try {
            runBlocking(thread.asCoroutineDispatcher()) {
                delay((from - System.nanoTime()).nanoseconds)
                val line = launch { waitInTurn() }
                delay((until - System.nanoTime()).nanoseconds)
                line.cancelAndJoin()
            }
        } finally {
            thread.shutdown()
        }
    }

    private suspend fun waitInTurn() =
        coroutineScope {
            val limiter = Saturation.limiter(store, RateLimit.perSecond(rate).withBurst(burst))
            var came = 0L
            var served = 0L

            suspend fun CoroutineScope.waiter() {
                while (true) {
                    val turn = came++
                    limiter.acquire()
                    val isInTime = System.nanoTime() - until <= 0
                    if (turn != served++ && isInTime) tally.add(Tally.OVERTAKEN, 1)
                    if (isInTime) tally.add(0, 1)
                    tally.add(Tally.ANSWERS, 1)
                }
            }
            repeat(waiters) { launch { waiter() } }
        }
}

package dev.ratelimit.benchmarks.redis

import java.util.concurrent.CompletableFuture
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicReference
import kotlin.concurrent.thread

/**
 * Keeps a number of questions in flight: every answer asks the next one, on whatever thread it comes, so no thread waits. The same code
 * drives all contestants.
 */
internal class Window<A>(
    private val contestant: Contestant<A>,
    private val keys: Int,
    inFlight: Int,
) {
    private val lanes = List(inFlight) { Lane(it) }
    private val drained = CountDownLatch(inFlight)
    private val failure = AtomicReference<Throwable>()

    @Volatile private var isOver = false

    private val decisions: Long get() = lanes.sumOf { it.decisions }
    val allowed: Long get() = lanes.sumOf { it.allowed }

    /** Asks for this long, then waits until the last answer is there. [costs] are looked at when counting starts and when it ends. */
    fun run(
        millis: Long,
        costs: () -> Costs = { Costs.of(server = null) },
    ): Sample {
        val before = costs()
        val start = System.nanoTime()
        // On a thread of its own: where answers are there at once, the first lane never comes back.
        thread(isDaemon = true) { lanes.forEach { it.next() } }
        Thread.sleep(millis)
        // While that thread lives, and its allocations count.
        val used = costs() - before
        isOver = true
        val nanos = System.nanoTime() - start
        check(drained.await(SECONDS_TO_DRAIN, TimeUnit.SECONDS)) { "the last answers of $contestant did not come" }
        failure.get()?.let { throw IllegalStateException("$contestant failed", it) }
        return Sample(decisions, nanos, used)
    }

    /** One question after another. What one lane writes, only one thread at a time touches, each after the other. */
    private inner class Lane(
        number: Int,
    ) {
        var decisions = 0L
        var allowed = 0L
        private var random = number * SPREAD + 1

        fun next() {
            while (!isOver) {
                val answer = asked()
                if (!answer.isDone) {
                    answer.whenComplete { value, cause ->
                        count(value, cause)
                        next()
                    }
                    return
                }
                answer.whenComplete(::count)
            }
            drained.countDown()
        }

        private fun asked(): CompletableFuture<A> =
            runCatching { contestant.ask(nextKey()).toCompletableFuture() }.getOrElse { CompletableFuture.failedFuture(it) }

        private fun count(
            value: A?,
            cause: Throwable?,
        ) {
            if (value == null) {
                failure.compareAndSet(null, cause ?: IllegalStateException("an answer was null"))
                isOver = true
            } else if (!isOver) {
                decisions++
                if (contestant.isAllowed(value)) allowed++
            }
        }

        /** Every key equally often, in an order of the lane's own that is the same for all contestants. */
        private fun nextKey(): Int {
            random = random * MULTIPLIER + INCREMENT
            return ((random ushr 33) % keys).toInt()
        }
    }

    private companion object {
        const val SECONDS_TO_DRAIN = 60L
        const val SPREAD = 0x5851F42D4C957F2DL
        const val MULTIPLIER = 6364136223846793005L
        const val INCREMENT = 1442695040888963407L
    }
}

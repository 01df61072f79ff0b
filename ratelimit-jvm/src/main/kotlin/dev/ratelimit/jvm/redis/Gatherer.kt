package dev.ratelimit.jvm.redis

import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger

/**
 * Sends requests at once while few calls are under way; those that come meanwhile gather and go out together, as one call, as soon as
 * an answer has come. So an idle connection adds no delay, and a busy one spends one command on many decisions. No timer, no lock.
 */
internal class Gatherer(
    private val newBatch: () -> Batch,
    private val send: (Batch) -> CompletableFuture<*>,
) {
    private val waiting = ConcurrentLinkedQueue<Request<*>>()
    private val underWay = AtomicInteger()

    fun submit(request: Request<*>) {
        waiting += request
        pump()
    }

    private fun pump() {
        while (!waiting.isEmpty() && enter()) {
            val batch = gathered()
            val call = if (batch.size == 0) null else send(batch)
            // A call that is over already is no reason to go deeper: the loop goes on.
            if (call == null || call.isDone) {
                underWay.decrementAndGet()
            } else {
                call.whenComplete { _, _ ->
                    underWay.decrementAndGet()
                    pump()
                }
            }
        }
    }

    /** What nobody waits for any more, because its time is over, is not sent. */
    private fun gathered(): Batch {
        val batch = newBatch()
        while (batch.work < MOST_WORK && batch.size < MOST_REQUESTS) {
            val request = waiting.poll() ?: break
            if (!request.answer.isDone) batch.add(request)
        }
        return batch
    }

    private fun enter(): Boolean {
        while (true) {
            val calls = underWay.get()
            if (calls >= MOST_CALLS) return false
            if (underWay.compareAndSet(calls, calls + 1)) return true
        }
    }

    private companion object {
        const val MOST_CALLS = 4

        /** Redis answers nobody else meanwhile. */
        const val MOST_WORK = 64
        const val MOST_REQUESTS = 1_000
    }
}

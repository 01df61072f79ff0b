package dev.ratelimit.jvm.redis

import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.CompletionStage
import java.util.concurrent.atomic.AtomicInteger

/**
 * Sends requests at once while few calls are under way; those that come meanwhile gather and go out together, as one call, as soon as
 * an answer has come. So an idle connection adds no delay, and a busy one spends one command on many decisions. No timer, no lock.
 */
internal class Gatherer(
    private val send: (List<Request>) -> CompletionStage<*>,
) {
    private val waiting = ConcurrentLinkedQueue<Request>()
    private val underWay = AtomicInteger()

    fun submit(request: Request) {
        waiting += request
        pump()
    }

    private fun pump() {
        while (waiting.isNotEmpty() && enter()) {
            val batch = ArrayList<Request>()
            while (batch.size < MOST_REQUESTS) batch += waiting.poll() ?: break
            if (batch.isEmpty()) {
                underWay.decrementAndGet()
            } else {
                send(batch).whenComplete { _, _ ->
                    underWay.decrementAndGet()
                    pump()
                }
            }
        }
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
        const val MOST_REQUESTS = 64
    }
}

package dev.ratelimit.jvm.shared

import dev.ratelimit.RateLimitStoreException
import java.util.concurrent.atomic.AtomicReferenceArray

/** The transactions of this process, as many at a time as it has records. */
internal class Transactions(
    words: Words,
    records: IntRange,
) {
    private val idle = AtomicReferenceArray(Array(records.count()) { Transaction(words, records.first + it) })

    @Volatile
    private var isClosed = false

    fun <T> run(change: (Transaction) -> T): T {
        val transaction = take()
        try {
            transaction.begin()
            return change(transaction)
        } finally {
            // Also where the file was cut short and the end fails: the others wait for it.
            try {
                transaction.end()
            } finally {
                putBack(transaction)
            }
        }
    }

    private fun take(): Transaction {
        var spins = 0
        while (!isClosed) {
            takeIdle()?.let { return it }
            if (++spins < SPINS) Thread.onSpinWait() else Thread.yield()
        }
        throw RateLimitStoreException("the store was closed, or its file replaced, during the call; ask again, or open it again", null)
    }

    private fun takeIdle(): Transaction? {
        for (i in 0 until idle.length()) idle.getAndSet(i, null)?.let { return it }
        return null
    }

    private fun putBack(transaction: Transaction) {
        for (i in 0 until idle.length()) if (idle.compareAndSet(i, null, transaction)) return
    }

    /** Lets none begin from now on. */
    fun refuse() {
        isClosed = true
    }

    /** Lets none begin from now on, and waits until none is under way. */
    fun close() {
        refuse()
        repeat(idle.length()) { while (takeIdle() == null) Thread.yield() }
    }

    private companion object {
        const val SPINS = 64
    }
}

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
            transaction.end()
            putBack(transaction)
        }
    }

    private fun take(): Transaction {
        var spins = 0
        while (!isClosed) {
            for (i in 0 until idle.length()) idle.getAndSet(i, null)?.let { return it }
            if (++spins < SPINS) Thread.onSpinWait() else Thread.yield()
        }
        throw RateLimitStoreException("the store was closed meanwhile; open it again", null)
    }

    private fun putBack(transaction: Transaction) {
        for (i in 0 until idle.length()) if (idle.compareAndSet(i, null, transaction)) return
    }

    /** Waits until no transaction is under way; none is from then on. */
    fun close() {
        repeat(idle.length()) { take() }
        isClosed = true
    }

    private companion object {
        const val SPINS = 64
    }
}

package dev.ratelimit.jvm.shared.rig

import dev.ratelimit.jvm.SharedMemoryStore
import io.kotest.assertions.withClue
import io.kotest.matchers.comparables.shouldBeLessThanOrEqualTo
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe

/** Compares what children have reported of a [Mix] with what the buckets say they have given out. */
internal class Ledgers(
    private val store: SharedMemoryStore,
    private val from: Long,
) {
    private val granted = LongArray(Kind.values().size)

    @Synchronized
    fun add(tally: Tally) {
        for (i in granted.indices) granted[i] += tally[i]
    }

    /**
     * Holds if nothing was granted that is not accounted for, each list as a whole, and if no more than [unreported] grants
     * were not reported, which is what as many kills may cost. Nobody may be at work. Gives the number of grants that were not reported.
     */
    @Synchronized
    fun check(unreported: Int): Long {
        var lost = 0L
        val elapsed = System.nanoTime() - from
        for (kind in Kind.values().filter { it.isLedger }) {
            var given = 0L
            for (key in 0..kind.key(elapsed) { 0 }) given += givenOut(kind, key)
            val reported = granted[kind.ordinal]
            withClue("$kind: reported, of $given that were given out") { reported shouldBeInRange given - unreported..given }
            lost += given - reported
        }
        withClue("grants that nobody has reported") { lost shouldBeLessThanOrEqualTo unreported.toLong() }
        return lost
    }

    private fun givenOut(
        kind: Kind,
        key: Long,
    ): Long {
        val now = store.clock().nanoTime()
        val given = kind.bursts.mapIndexed { i, burst -> burst - store.peek(listOf(kind.charge(key, i)), now, 0).remaining() }
        withClue("$kind $key: given out by each of its limits $given") {
            given shouldBe kind.weights.map { it * (given[0] / kind.weights[0]) }
            (given[0] <= kind.bursts[0]) shouldBe true
        }
        return given[0]
    }

    /** What the bucket that refills has given out so far. */
    @Synchronized
    fun paced(): Long = granted[Kind.PACED.ordinal]

    override fun toString(): String = Kind.values().joinToString { "$it ${granted[it.ordinal]}" }
}

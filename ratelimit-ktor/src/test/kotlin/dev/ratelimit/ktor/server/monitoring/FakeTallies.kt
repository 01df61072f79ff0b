package dev.ratelimit.ktor.server.monitoring

import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.spi.RateLimitStore
import dev.ratelimit.spi.Tally
import dev.ratelimit.spi.TallyEntry
import dev.ratelimit.spi.TallyStore
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage

/** A store that counts in memory, keeps the contract of a [TallyStore] to the letter, and fails when it is told to. */
internal class FakeTallies :
    RateLimitStore by MemoryStore(),
    TallyStore {
    /** How a question ends: answered, lost on the way there, or done with its answer lost. */
    enum class Fate { FINE, LOST, UNCONFIRMED, SILENT }

    private val groups = HashMap<String, MutableMap<String, Long>>()
    private val entries = HashMap<String, MutableMap<String, Long>>()

    /** What happens to each question. */
    var fate: (group: String) -> Fate = { Fate.FINE }
    var asked = 0

    /** What every question fails with, if anything. */
    var failure: Throwable? = null

    /** Done between finding an answer and giving it. */
    var meanwhile: () -> Unit = {}

    val names: Set<String> get() = groups.keys

    fun numbers(group: String): Map<String, Long> = groups[group].orEmpty()

    fun write(
        group: String,
        numbers: Map<String, Long>,
    ) = groups.getOrPut(group) { HashMap() }.putAll(numbers)

    /** As a server that keeps nothing on disk, started anew. */
    @Synchronized
    fun forget() {
        groups.clear()
        entries.clear()
    }

    @Synchronized
    override fun tallyAsync(entry: TallyEntry): CompletionStage<Void?> {
        val fate = fate(entry.group)
        asked++
        if (fate == Fate.FINE || fate == Fate.UNCONFIRMED) apply(entry)
        return answered(fate, null)
    }

    private fun apply(entry: TallyEntry) {
        val writers = entries.getOrPut(entry.group) { HashMap() }
        if (entry.number <= (writers[entry.writer] ?: 0)) return
        writers[entry.writer] = entry.number
        val numbers = groups.getOrPut(entry.group) { HashMap() }
        entry.sums.forEach { (name, number) -> numbers.merge(name, number, Long::plus) }
        entry.maxima.forEach { (name, number) -> numbers.merge(name, number, ::maxOf) }
    }

    @Synchronized
    override fun talliesAsync(groups: List<String>): CompletionStage<List<Tally>> {
        asked++
        val fate = groups.map(fate).firstOrNull { it != Fate.FINE } ?: Fate.FINE
        val answer = groups.map { Tally(this.groups[it].orEmpty(), entries[it].orEmpty()) }
        meanwhile()
        return answered(fate, answer)
    }

    private fun <T> answered(
        fate: Fate,
        answer: T,
    ): CompletionStage<T> =
        failure?.let { CompletableFuture.failedFuture(it) } ?: when (fate) {
            Fate.FINE -> CompletableFuture.completedFuture(answer)
            Fate.SILENT -> CompletableFuture()
            else -> CompletableFuture.failedFuture(RateLimitStoreException("away", null))
        }
}

package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.spi.Tally
import dev.ratelimit.spi.TallyEntry
import io.lettuce.core.codec.StringCodec
import io.lettuce.core.output.IntegerOutput
import io.lettuce.core.output.ValueListOutput
import io.lettuce.core.protocol.CommandArgs
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.atomic.AtomicInteger

/** Numbers that all processes add to; see tally.lua. */
internal class Tallies(
    private val decider: Decider,
    private val keys: RedisKeys,
) {
    private val underWay = AtomicInteger()

    fun add(entry: TallyEntry): CompletableFuture<Void?> {
        val key = keys.tallyOf(entry.group)
        return asked(key) { link, isAsking ->
            link.run(Script.TALLY, { arguments(it, key, entry) }, { IntegerOutput(StringCodec.UTF8) }, isAsking)
        }.thenApply<Void?> { if (it == DAMAGED) throw damaged(key) else null }
    }

    fun read(groups: List<String>): CompletableFuture<List<Tally>> =
        groups.chunked(AT_ONCE).fold(CompletableFuture.completedFuture(emptyList<Tally>())) { before, some ->
            before.thenCompose { told -> all(some.map(::one)).thenApply { told + it } }
        }

    private fun one(group: String): CompletableFuture<Tally> {
        val key = keys.tallyOf(group)
        return asked(key) { link, isAsking ->
            link.run(
                Script.TALLIES,
                { CommandArgs(StringCodec.UTF8).add(it).add(1L).addKey(key) },
                { ValueListOutput(StringCodec.UTF8) },
                isAsking,
            )
        }.thenApply { tallyOf(it) ?: throw damaged(key) }
    }

    /** Null if that is none. */
    private fun tallyOf(fields: List<String>): Tally? {
        if (fields.size % 2 != 0) return null
        val numbers = HashMap<String, Long>()
        val entries = HashMap<String, Long>()
        for (i in fields.indices step 2) {
            val value = fields[i + 1].toLongOrNull() ?: continue
            when (fields[i].firstOrNull()) {
                NUMBER -> numbers[fields[i].substring(1)] = value
                WRITER -> entries[fields[i].substring(1)] = value
            }
        }
        return Tally(numbers, entries)
    }

    private fun arguments(
        script: String,
        key: String,
        entry: TallyEntry,
    ): CommandArgs<String, String> {
        val args = CommandArgs(StringCodec.UTF8).add(script).add(1L).addKey(key)
        args.add(entry.writer).add(entry.number).add(entry.retention.coerceAtMost(LONGEST).toMillis())
        args.add(entry.sums.size.toLong())
        entry.sums.forEach { (name, value) -> args.add(name).add(value) }
        entry.maxima.forEach { (name, value) -> args.add(name).add(value) }
        return args
    }

    /** Whoever asks without waiting for answers does not fill the memory with questions. */
    private fun <T> asked(
        key: String,
        question: (Link, Boolean) -> CompletionStage<T>,
    ): CompletableFuture<T> {
        if (underWay.incrementAndGet() > MOST_UNDER_WAY) {
            underWay.decrementAndGet()
            return CompletableFuture.failedFuture(RateLimitStoreException("more than $MOST_UNDER_WAY tallies are under way", null))
        }
        return decider.ask(key, question).also { it.whenComplete { _, _ -> underWay.decrementAndGet() } }
    }

    private fun damaged(key: String) =
        RateLimitStoreException("what Redis has at $key is no tally; delete it, or give the store another keyPrefix", null)

    private companion object {
        const val DAMAGED = -1L
        const val NUMBER = '='
        const val WRITER = '#'
        const val AT_ONCE = 16
        const val MOST_UNDER_WAY = 1_000
        val LONGEST: Duration = Duration.ofDays(3_650)

        fun <T> all(futures: List<CompletableFuture<T>>): CompletableFuture<List<T>> =
            CompletableFuture.allOf(*futures.toTypedArray()).thenApply { futures.map { it.join() } }
    }
}

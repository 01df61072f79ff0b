package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.store.ClosedStoreException
import dev.ratelimit.jvm.store.Timer
import dev.ratelimit.jvm.store.unwrapped
import io.lettuce.core.codec.StringCodec
import io.lettuce.core.output.ValueListOutput
import io.lettuce.core.protocol.CommandArgs
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicReferenceArray

/** Takes requests to the script, gathered by slot, and sees that each is answered in time. */
internal class Decider(
    private val servers: Servers,
    private val keys: RedisKeys,
    private val settings: Settings,
) {
    private val ones = AtomicReferenceArray<Gatherer>(servers.slots)
    private val lists = AtomicReferenceArray<Gatherer>(servers.slots)
    private val damage = Damage()
    private val deadlines = Deadlines(settings.deadlineNanos, servers::look)

    @Volatile
    private var isClosed = false

    fun send(request: Request<*>) {
        if (isClosed) {
            request.answer.completeExceptionally(ClosedStoreException())
            return
        }
        val slot = slotOf(request)
        deadlines.watch(request)
        val gatherers = if (!settings.isStrict && OnesBatch.takes(request)) ones else lists
        gathererOf(gatherers, slot).submit(request)
    }

    private fun gathererOf(
        gatherers: AtomicReferenceArray<Gatherer>,
        slot: Int,
    ): Gatherer {
        gatherers[slot]?.let { return it }
        val batch = if (gatherers === ones) {
            fun() = newOnes(slot)
        } else {
            fun() = newList(slot)
        }
        gatherers.compareAndSet(slot, null, Gatherer(batch) { call(slot, it, batch) })
        return gatherers[slot]
    }

    private fun newOnes(slot: Int): Batch = OnesBatch(settings.now()) { gathererOf(lists, slot).submit(it) }

    private fun newList(slot: Int): Batch =
        ListBatch(settings.now(), if (settings.isStrict) keys.markerOf(servers.tagOf(slot)) else null, damage::found)

    private fun slotOf(request: Request<*>): Int {
        if (servers.slots == 1) return 0
        val first = servers.slotOf(request.items[0].key)
        val other = request.items.firstOrNull { servers.slotOf(it.key) != first } ?: return first
        throw IllegalArgumentException(
            "the keys ${request.items[0].key} and ${other.key} are in different slots of Redis Cluster, where one call cannot reach " +
                "both; charge limits of one limiter and key together, or make two calls",
        )
    }

    private fun call(
        slot: Int,
        batch: Batch,
        newBatch: () -> Batch,
    ): CompletableFuture<*> =
        servers
            .call(slot) { link, isAsking -> run(batch, link, isAsking) }
            .handle { answer, failure ->
                val cause = failure.unwrapped()
                if (cause is SplitSlot) {
                    CompletableFuture.allOf(*batch.parts(newBatch).map { call(slot, it, newBatch) }.toTypedArray())
                } else {
                    if (failure == null) batch.complete(answer) else batch.fail(storeException(cause))
                    CompletableFuture.completedFuture(null)
                }
            }.thenCompose { it }
            .toCompletableFuture()

    /** Keys of one slot are on both sides while it moves. Each question by itself is answered by one of the sides. */
    private fun run(
        batch: Batch,
        link: Link,
        isAsking: Boolean,
    ): CompletionStage<LongArray> {
        val answer = link.run(batch.script, batch::arguments, ::LongsOutput, isAsking, batch::complete)
        if (servers.slots == 1 || batch.work == 1) return answer
        return answer.handle { numbers, failure ->
            if (failure.unwrapped()?.message.orEmpty().startsWith("TRYAGAIN")) throw SplitSlot()
            if (failure != null) throw failure
            numbers
        }
    }

    /** Some keys of a batch are here and others are not. */
    private class SplitSlot : RuntimeException(null, null, false, false)

    /** Tells what [member] goes by, and answers with what all do, or fails when its time is over; see declare.lua. */
    fun declare(
        limiter: String,
        member: String,
        limits: String,
        validityMillis: Long,
    ): CompletionStage<List<String>> {
        val key = keys.declarationsOf(limiter)
        return ask(key) { link, isAsking ->
            link.run(
                Script.DECLARE,
                { CommandArgs(StringCodec.UTF8).add(it).add(1L).addKey(key).add(member).add(limits).add(validityMillis) },
                { ValueListOutput(StringCodec.UTF8) },
                isAsking,
            )
        }
    }

    /** Asks a question about [key] alone, apart from the batches; it fails when its time is over. */
    fun <T> ask(
        key: String,
        question: (Link, Boolean) -> CompletionStage<T>,
    ): CompletableFuture<T> {
        if (isClosed) return CompletableFuture.failedFuture(ClosedStoreException())
        val answer = CompletableFuture<T>()
        Timer.after(settings.deadlineNanos) {
            if (answer.completeExceptionally(unanswered(settings.deadlineNanos))) servers.look()
        }
        servers.call(if (servers.slots == 1) 0 else servers.slotOf(key), question).whenComplete { told, failure ->
            if (failure == null) answer.complete(told) else answer.completeExceptionally(storeException(failure.unwrapped()))
        }
        return answer
    }

    /** Waits for what was sent, for a while; then ends. */
    fun finish(
        time: Long,
        unit: TimeUnit,
    ) {
        isClosed = true
        deadlines.await(time, unit)
        servers.close()
    }

    private fun storeException(cause: Throwable?): RateLimitStoreException {
        if (cause is RateLimitStoreException) return cause
        // One server sends nobody elsewhere.
        if (servers.slots == 1 && cause?.message?.let(Redirection::parse) != null) return Reasons.explained("the given address", cause)
        return RateLimitStoreException("Redis could not answer: ${cause?.message ?: cause}", cause)
    }
}

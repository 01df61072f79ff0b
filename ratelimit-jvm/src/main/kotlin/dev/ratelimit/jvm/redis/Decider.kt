package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimitStoreException
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
            request.answer.completeExceptionally(RateLimitStoreException("this RedisStore is closed", null))
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
        gatherers.compareAndSet(slot, null, Gatherer(batch) { call(slot, it) })
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
    ): CompletableFuture<*> =
        servers
            .call(slot) { link, isAsking -> link.run(batch.script, batch::arguments, ::LongsOutput, isAsking, batch::complete) }
            .whenComplete { answer, failure ->
                if (failure == null) batch.complete(answer) else batch.fail(storeException(failure.unwrapped()))
            }.toCompletableFuture()

    /** Tells what [member] goes by, and answers with what all do; see declare.lua. */
    fun declare(
        limiter: String,
        member: String,
        limits: String,
        validityMillis: Long,
    ): CompletionStage<List<String>> {
        val key = keys.declarationsOf(limiter)
        return servers
            .call(if (servers.slots == 1) 0 else servers.slotOf(key)) { link, isAsking ->
                link.run(
                    Script.DECLARE,
                    { CommandArgs(StringCodec.UTF8).add(it).add(1L).addKey(key).add(member).add(limits).add(validityMillis) },
                    { ValueListOutput(StringCodec.UTF8) },
                    isAsking,
                )
            }.handle { answer, failure -> if (failure == null) answer else throw storeException(failure.unwrapped()) }
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

    private fun storeException(cause: Throwable?): RateLimitStoreException =
        cause as? RateLimitStoreException ?: RateLimitStoreException("Redis could not answer: ${cause?.message ?: cause}", cause)
}

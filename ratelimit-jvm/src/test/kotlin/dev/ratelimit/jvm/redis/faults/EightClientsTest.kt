package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.ask
import dev.ratelimit.jvm.redis.rig.awaitThat
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeInRange
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** Eight processes' worth of clients that want more than there is. */
internal class EightClientsTest :
    FunSpec({
        test("eight saturating clients get a burst and the rate, and one more burst for each loss of state") {
            val limit = 10.perSecond.withBurst(100)
            RedisServer().use { server ->
                val stores = List(8) { storeAt(server.uri, FailurePolicy.closed()) }
                val started = TimeSource.Monotonic.markNow()
                val loads = stores.map { Load(it, threads = 1) { store, key -> store.take(key = key, limit = limit) } }

                fun total() = loads.sumOf { it.grants.get() }

                fun mostAfter(losses: Int) = 100L * (1 + losses) + 10 * started.elapsedNow().inWholeSeconds + 10
                awaitThat("the first burst") { total() >= 100 }
                awaitThat("three seconds") { started.elapsedNow() >= 3.seconds }
                total() shouldBeInRange 100L..mostAfter(losses = 0)
                server.ask { flushall() }
                awaitThat("six seconds") { started.elapsedNow() >= 6.seconds }
                total() shouldBeInRange 200L..mostAfter(losses = 1)
                server.restart()
                awaitThat("ten seconds") { started.elapsedNow() >= 10.seconds }
                loads.forEach { it.stop() }
                total() shouldBeInRange 300L..mostAfter(losses = 2)
                stores.forEach { it.close() }
            }
        }
    })

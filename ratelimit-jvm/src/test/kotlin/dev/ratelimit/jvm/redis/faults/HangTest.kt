package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.RedisStoreBuilder
import dev.ratelimit.jvm.conformance.charge
import dev.ratelimit.jvm.redis.rig.FaultMode
import dev.ratelimit.jvm.redis.rig.FaultProxy
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.awaitThat
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.lettuce.core.RedisClient
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime

/** A server that is there and says nothing. */
internal class HangTest :
    FunSpec({
        val server = RedisServer()
        afterSpec { server.close() }

        test("a stopped server's calls are decided by the policy, and what it does later is charged once at most (lettuce#1426)") {
            val key = keyOf("stopped")
            storeAt(server.uri, FailurePolicy.closed()) { deadline(300.milliseconds) }.use { store ->
                awaitThat("a grant") { store.serves(key) }
                server.pause()
                val before = 40
                val asked = List(before) { store.tryAcquireAsync(listOf(SLOW.charge(1, key)), Long.MAX_VALUE) }
                asked.forEach { it.answer().isUnavailable shouldBe true }
                server.resume()
                val granted = server.used(key)
                granted shouldBeInRange 1L..41L
                awaitThat("the server is asked again") { store.serves(key) }
                server.used(key) shouldBeInRange 2L..granted + 1
                awaitThat("what was charged for nothing is given back") { server.used(key) == 2L }
            }
        }

        fun known(
            name: String,
            open: (RedisStoreBuilder.() -> Unit) -> RedisStore,
        ) = test("once a server is known to hang, nobody waits for it any more, $name (lettuce#466, lettuce#508)") {
            val outages = Outages()
            val key = keyOf(name)
            open {
                deadline(1.seconds)
                listener(outages)
            }.use { store ->
                awaitThat("a grant") { store.serves(key) }
                server.pause()
                try {
                    // More calls than may be under way, of keys of their own, so that none joins another.
                    val first = List(12) { store.tryAcquireAsync(listOf(SLOW.charge(1, keyOf("$name $it"))), Long.MAX_VALUE) }
                    first.forEach { it.answer().isUnavailable shouldBe true }
                    awaitThat("the outage is known") { outages.began.size == 1 }
                    measureTime { repeat(40) { store.take(key = key).isUnavailable shouldBe true } } shouldBeLessThan 10.seconds
                } finally {
                    server.resume()
                }
                awaitThat("the server is asked again") { store.serves(key) }
                outages.began.size shouldBe 1
                outages.ended.size shouldBe 1
            }
        }

        known("with the store's own client") { storeAt(server.uri, FailurePolicy.closed(), it) }

        // Lettuce itself would wait for a minute.
        val client = RedisClient.create(server.uri)
        afterSpec { client.close() }
        known("with a user's client") { storeOn(client, FailurePolicy.closed(), it) }

        test("a server that answers after 2 s is away, not back and away again (bucket4j#406)") {
            FaultProxy(server.port).use { proxy ->
                val outages = Outages()
                val key = keyOf("slow")
                storeAt(proxy.uri) {
                    deadline(200.milliseconds)
                    listener(outages)
                }.use { store ->
                    awaitThat("a grant") { store.serves(key) }
                    proxy.mode = FaultMode.Delay(1.seconds)
                    awaitThat("the store notices") { !store.serves(key) && outages.began.isNotEmpty() }
                    val known = outages.began.size
                    // Long enough for connections through the slow network to come about.
                    val from = proxy.accepted
                    awaitThat("more attempts") { store.serves(key) || proxy.accepted >= from + 5 }
                    shouldThrow<RateLimitStoreException> { store.take(key = key) }
                    outages.began.size shouldBe known
                    proxy.mode = FaultMode.Pass
                    awaitThat("the server is asked again") { store.serves(key) }
                }
            }
        }

        test("packets that vanish are an outage, and its end is noticed (SCG#3373)") {
            FaultProxy(server.port).use { proxy ->
                val outages = Outages()
                val key = keyOf("lost")
                storeAt(proxy.uri) {
                    deadline(300.milliseconds)
                    listener(outages)
                }.use { store ->
                    awaitThat("a grant") { store.serves(key) }
                    proxy.mode = FaultMode.Drop
                    shouldThrow<RateLimitStoreException> { store.take(key = key) }.message shouldContain "300 ms"
                    awaitThat("the store notices") { outages.began.size == 1 }
                    proxy.mode = FaultMode.Pass
                    awaitThat("the server is asked again") { store.serves(key) }
                    outages.ended.size shouldBe 1
                    server.used(key) shouldBe 2
                }
            }
        }
    })

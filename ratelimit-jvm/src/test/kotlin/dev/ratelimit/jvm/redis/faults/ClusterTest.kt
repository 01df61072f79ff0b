package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.Algorithm
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.conformance.charge
import dev.ratelimit.jvm.conformance.limit
import dev.ratelimit.jvm.perMinute
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.jvm.redis.rig.RedisCluster
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.SlotMove
import dev.ratelimit.jvm.redis.rig.ask
import dev.ratelimit.jvm.redis.rig.awaitThat
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.lettuce.core.RedisClient
import io.lettuce.core.cluster.SlotHash
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.seconds

/** Keys that are elsewhere, on their way, or with a master that is gone. */
internal class ClusterTest :
    FunSpec({
        val cluster = RedisCluster(withReplicas = true)
        afterSpec { cluster.close() }

        fun RedisStore.isChargedOnce(load: Load) {
            load.failures.shouldBeEmpty()
            for ((key, granted) in load.granted) {
                BURST - peekAsync(listOf(SLOW.charge(1, key)), 0).answer().remaining() shouldBe granted.get()
            }
        }

        test("a slot that moves under load loses and doubles nothing, by ASK and MOVED") {
            storeAt(cluster.uri).use { store ->
                // All in one slot, so that some have gone over while others have not; one key a call, as each is alone in its batch.
                val keys = List(20) { keyOf("moving-$it") }
                val load = Load(store, keys, threads = 1)
                load.awaitGrants(40)
                repeat(2) {
                    for (key in keys.take(5)) {
                        val slot = SlotHash.getSlot(nameOf(key))
                        val from = cluster.ownerOf(slot)
                        cluster.moveSlot(
                            slot,
                            from,
                            cluster.masters.first { it !== from },
                            migrating = { load.awaitGrants(60) },
                            emptied = { load.awaitGrants(60) },
                        )
                        load.awaitGrants(20)
                    }
                }
                load.stop()
                store.isChargedOnce(load)
            }
        }

        test("calls that go out together for keys of a slot on its way are each answered where their key is") {
            storeAt(cluster.uri).use { store ->
                val slot = SlotHash.getSlot(nameOf(keyOf("together")))
                val keys = generateSequence(0) { it + 1 }.map { keyOf("together-$it") }.filter { SlotHash.getSlot(nameOf(it)) == slot }
                val (present, absent) = keys.take(24).toList().chunked(16)
                present.forEach { store.take(key = it).isAllowed shouldBe true }
                val from = cluster.ownerOf(slot)
                val move = SlotMove(cluster, slot, from, cluster.masters.first { it !== from })
                move.begin()
                move.moveKeys(8)
                for (limits in listOf(listOf(SLOW), listOf(Algorithm.FIXED_WINDOW.limit(BURST, 1.hours)))) {
                    repeat(3) {
                        val all = (present + absent).shuffled().flatMap { key -> limits.map { it.charge(1, key) } }
                        val calls = all.map { store.tryAcquireAsync(listOf(it), Long.MAX_VALUE) }
                        calls.count { it.answer().isAllowed } shouldBe calls.size
                    }
                }
                move.moveKeys()
                move.finish()
                present.forEach { store.peekAsync(listOf(SLOW.charge(1, it)), 0).answer().remaining() shouldBe BURST - 7 }
            }
        }

        test("keys with braces go where Redis looks for them (spring-cloud-gateway#248, gravitee#17370)") {
            storeAt(cluster.uri).use { store ->
                val limiter = KeyedRateLimiter<String>("braces", 5.perSecond, 100.perMinute, store = store)
                for (key in listOf("{}", "}{", "{a}{b}", "", "{", "}", "a|b", "%007b")) {
                    limiter[key].tryAcquireBlocking().isAllowed shouldBe true
                    limiter[key].peekBlocking().remaining() shouldBe 4
                    limiter[key].resetBlocking()
                    limiter[key].peekBlocking().remaining() shouldBe 5
                }
            }
        }

        test("a charge of keys in different slots is refused with a reason, and nothing is charged") {
            storeAt(cluster.uri).use { store ->
                val (one, other) = List(2) { keyOf("far-$it") }
                val failure =
                    shouldThrow<IllegalArgumentException> {
                        store.tryAcquireAsync(listOf(SLOW.charge(1, one), SLOW.charge(1, other)), Long.MAX_VALUE).answer()
                    }
                failure.message shouldContain nameOf(one)
                failure.message shouldContain "different slots"
                listOf(one, other).forEach { store.take(key = it).remaining() shouldBe BURST - 1 }
            }
        }

        test("a plain client of a Cluster is refused with the remedy") {
            RedisClient.create(cluster.uri).use { client ->
                shouldThrow<IllegalArgumentException> { RedisStore(client) }.message shouldContain "RedisClusterClient"
            }
        }

        test("a master that is killed takes only its own keys away, and its replica serves them within 5 s") {
            val outages = Outages()
            storeAt(cluster.uri) { listener(outages) }.use { store ->
                val lost = keyOf("on the killed one")
                val dying = cluster.ownerOf(nameOf(lost))
                val kept = List(50) { keyOf("kept-$it") }.first { cluster.ownerOf(nameOf(it)) !== dying }
                store.take(key = lost).isAllowed shouldBe true
                dying.ask { waitForReplication(1, 5_000) } shouldBe 1
                dying.kill()
                awaitThat("the outage is known") { !store.serves(lost) && outages.began.size == 1 }
                val heir = cluster.run { awaitHeir(nameOf(lost), dying) }
                awaitThat("the heir is asked", 5.seconds) { store.serves(lost) }
                heir.used(lost) shouldBe 2
                store.serves(kept) shouldBe true
                outages.began.size shouldBe 1
            }
        }
    })

private fun RedisCluster.awaitHeir(
    key: String,
    killed: RedisServer,
): RedisServer {
    awaitThat("a replica that takes over", 30.seconds) { runCatching { ownerOf(key) }.getOrNull().let { it != null && it !== killed } }
    awaitHealthy()
    return ownerOf(key)
}

package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.conformance.charge
import dev.ratelimit.jvm.conformance.limit
import dev.ratelimit.jvm.redis.rig.RedisCluster
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.SlotMove
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.TallyEntry
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.lettuce.core.cluster.RedisClusterClient
import io.lettuce.core.cluster.SlotHash
import java.time.Duration
import kotlin.time.Duration.Companion.hours

/** The permissions that the README lists are enough, and none of them is too many. */
internal class AclTest :
    FunSpec({
        fun everything(store: RedisStore) {
            for (algorithm in Algorithm.entries) {
                val key = keyOf("$algorithm")
                val limit = algorithm.limit(5, 1.hours)
                store.take(3, key, limit)
                store.tryAcquireAsync(listOf(limit.charge(1, key), limit.charge(1, keyOf("other $algorithm"))), 0).answer()
                store.peekAsync(listOf(limit.charge(1, key)), 0).answer()
                store.reserveAsync(listOf(limit.charge(1, key)), 2, 1).answer()
                store.adjustAsync(listOf(Adjustment(key, limit, -3))).answer()
                store.take(1, key, algorithm.limit(7, 1.hours))
            }
            // From a log to a string and back.
            store.take(1, keyOf("sliding-log"), SLOW)
            store.take(1, keyOf("sliding-log"), Algorithm.SLIDING_LOG.limit(5, 1.hours))
            store.resetAsync(Algorithm.entries.map { keyOf("$it") }).answer()
            store.declareAsync("limiter", "me", listOf(SLOW), Duration.ofSeconds(5)).answer() shouldBe setOf(SLOW)
            store.tallyAsync(TallyEntry("group", "me", 1, mapOf("calls" to 1L), mapOf("longest" to 1L), Duration.ofSeconds(5))).answer()
            store.talliesAsync(listOf("group")).answer().single().numbers shouldBe mapOf("calls" to 1L, "longest" to 1L)
        }

        fun userOf(server: RedisServer) = "redis://app:pw@127.0.0.1:${server.port}"

        fun server(
            commands: List<String>,
            keys: String = "~ratelimit:*",
        ) = RedisServer("--user", "app", "on", ">pw", "resetkeys", keys, "-@all", *commands.toTypedArray())

        test("a user with these commands and keys can do all that the store does: ${COMMANDS.joinToString(" ")}") {
            server(COMMANDS).use { server ->
                for (isStrict in listOf(false, true)) {
                    storeAt(userOf(server)) { strict(isStrict) }.use(::everything)
                }
            }
        }

        for (missing in COMMANDS) {
            test("without $missing there is a clear error") {
                server(COMMANDS - missing).use { server ->
                    val failure =
                        shouldThrow<RateLimitStoreException> {
                            for (isStrict in listOf(false, true)) {
                                storeAt(userOf(server)) { strict(isStrict) }.use(::everything)
                            }
                        }
                    withClue(failure.message) { failure.message shouldContain Regex("(?i)permission|permit|NOPERM") }
                }
            }
        }

        val forCluster = COMMANDS + OF_CLUSTER

        fun cluster(commands: List<String>) =
            RedisCluster("--user", "app", "on", ">pw", "resetkeys", "~ratelimit:*", "-@all", *commands.toTypedArray())

        test("in a Cluster these are enough besides: ${OF_CLUSTER.joinToString(" ")}; also while a slot moves") {
            cluster(forCluster).use { rig ->
                storeAt(userOf(rig.founders[0])).use { store ->
                    Algorithm.entries.forEach { store.take(3, keyOf("$it"), it.limit(5, 1.hours)).isAllowed shouldBe true }
                    store.declareAsync("limiter", "me", listOf(SLOW), Duration.ofSeconds(5)).answer() shouldBe setOf(SLOW)
                    val key = keyOf("moving")
                    val slot = SlotHash.getSlot(nameOf(key))
                    val from = rig.ownerOf(slot)
                    // Asked for where it is to be.
                    SlotMove(rig, slot, from, rig.masters.first { it !== from }).begin()
                    store.take(key = key).isAllowed shouldBe true
                }
                RedisClusterClient.create(userOf(rig.founders[0])).use { client ->
                    RedisStore(client).use { it.take().isAllowed shouldBe true }
                }
                // Whoever may not do this is not the user that was given.
                shouldThrow<RateLimitStoreException> {
                    storeAt(userOf(rig.founders[0])) { keyPrefix("others:") }.use { it.take() }
                }.message shouldContain "permi"
            }
        }

        for (missing in OF_CLUSTER) {
            test("in a Cluster without $missing there is a clear error") {
                cluster(forCluster - missing).use { rig ->
                    val failure =
                        shouldThrow<RateLimitStoreException> {
                            storeAt(userOf(rig.founders[0])).use { store ->
                                val key = keyOf("moving")
                                val slot = SlotHash.getSlot(nameOf(key))
                                val from = rig.ownerOf(slot)
                                SlotMove(rig, slot, from, rig.masters.first { it !== from }).begin()
                                store.take(key = key)
                            }
                        }
                    withClue(failure.message) { failure.message shouldContain Regex("(?i)permission|permit|NOPERM") }
                }
            }
        }

        test("with another key pattern there is a clear error when the store is made") {
            server(COMMANDS, "~others:*").use { server ->
                shouldThrow<RateLimitStoreException> { storeAt(userOf(server)) }.message shouldContain "permi"
                storeAt(userOf(server)) { keyPrefix("others:") }.use { everything(it) }
            }
        }
    })

/** To find its masters, and a key whose slot moves. */
private val OF_CLUSTER = "+info +cluster|nodes +asking".split(' ')

private val COMMANDS =
    "+evalsha +eval +time +mget +get +getex +set +del +exists +hget +hmget +hset +hdel +hgetall +pexpire".split(' ')

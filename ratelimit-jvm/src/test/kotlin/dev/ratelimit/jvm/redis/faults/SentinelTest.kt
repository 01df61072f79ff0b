package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.redis.rig.RedisSentinels
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.ask
import dev.ratelimit.jvm.redis.rig.awaitThat
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.lettuce.core.RedisClient
import kotlin.time.Duration.Companion.seconds

/** Masters that change. */
internal class SentinelTest :
    FunSpec({
        fun failover(
            name: String,
            open: (String) -> RedisStore,
        ) = test("the heir of a killed master serves with its buckets within 5 s, $name") {
            RedisSentinels().use { rig ->
                open(rig.uri).use { store ->
                    repeat(3) { store.take().isAllowed shouldBe true }
                    rig.master.ask { waitForReplication(2, 5_000) } shouldBe 2
                    val heir = rig.failover()
                    awaitThat("the heir is asked", 5.seconds) { store.serves() }
                    heir.used() shouldBe 4
                }
            }
        }

        failover("with the store's own client") { storeAt(it) }
        failover("with a user's client") { storeOn(RedisClient.create(it).also { client -> afterSpec { client.close() } }) }

        test("a master that becomes a replica while it lives is not written to any more") {
            RedisSentinels().use { rig ->
                storeAt(rig.uri, FailurePolicy.closed()).use { store ->
                    val load = Load(store)
                    load.awaitGrants(100)
                    val heir = rig.switchOver()
                    load.grants.set(0)
                    load.awaitGrants(100)
                    load.stop()
                    load.refusals.get() shouldBe 0
                    load.failures shouldBe emptySet()
                    heir.ask { info("replication") } shouldContain "role:master"
                }
            }
        }

        val writes =
            mapOf<String, (RedisStore) -> Unit>(
                "by a decision" to { it.take() },
                "by a reset" to { it.resetAsync(listOf(keyOf("reset"))).answer() },
            )
        val all = writes.flatMap { write -> listOfNotNull(RedisServer(), RedisServer.oldest()).map { write to it } }
        for ((entry, server) in all) {
            val (how, write) = entry
            test("a server that becomes read-only is away, until it may be written again; noticed $how, ${server.version}") {
                server.use {
                    RedisServer().use { other ->
                        val outages = Outages()
                        storeAt(server.uri) { listener(outages) }.use { store ->
                            store.take().isAllowed shouldBe true
                            server.ask { replicaof("127.0.0.1", other.port) }
                            shouldThrow<RateLimitStoreException> { write(store) }.message shouldContain "does not serve"
                            outages.began.size shouldBe 1
                            // At once, as nothing is asked any more.
                            shouldThrow<RateLimitStoreException> { store.take() }
                            server.ask { replicaofNoOne() }
                            awaitThat("the server is asked again") { store.serves() }
                            outages.began.size shouldBe 1
                            outages.ended.size shouldBe 1
                        }
                    }
                }
            }
        }

        test("a store is not made on a server that only reads") {
            RedisServer().use { master ->
                RedisServer("--replicaof", "127.0.0.1", "${master.port}").use { replica ->
                    shouldThrow<RateLimitStoreException> { storeAt(replica.uri) }.message shouldContain "read only replica"
                }
            }
        }
    })

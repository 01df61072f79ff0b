package dev.ratelimit.jvm.redis.rig

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldStartWith
import io.lettuce.core.RedisCommandExecutionException
import io.lettuce.core.cluster.RedisClusterClient
import io.lettuce.core.cluster.SlotHash

/** What a client meets in a cluster: keys elsewhere, keys on their way, nodes that are gone. */
internal class ClusterRigTest :
    FunSpec({
        test("a cluster serves keys of all masters, says MOVED and ASK, and a slot can change its owner") {
            RedisCluster().use { cluster ->
                cluster.masters shouldHaveSize 3
                RedisClusterClient.create(cluster.uri).use { client ->
                    val commands = client.connect().sync()
                    commands.ping() shouldBe "PONG"
                    repeat(30) { commands.set("key-$it", "$it") }
                    List(30) { cluster.ownerOf("key-$it") }.distinct() shouldHaveSize 3

                    val slot = SlotHash.getSlot("{tag}")
                    repeat(250) { commands.set("{tag}$it", "$it") }
                    val from = cluster.ownerOf(slot)
                    val (to, third) = cluster.masters.filter { it !== from }
                    shouldThrow<RedisCommandExecutionException> { third.ask { get("{tag}1") } }.message shouldBe
                        "MOVED $slot 127.0.0.1:${from.port}"

                    cluster.moveSlot(
                        slot,
                        from,
                        to,
                        migrating = { move ->
                            move.moveKeys(most = 10) shouldBe 10
                            shouldThrow<RedisCommandExecutionException> { from.ask { get("{tag}none") } }.message shouldBe
                                "ASK $slot 127.0.0.1:${to.port}"
                            shouldThrow<RedisCommandExecutionException> { to.ask { get("{tag}none") } }.message shouldStartWith "MOVED"
                            commands.get("{tag}1") shouldBe "1"
                            commands.set("{tag}new", "new")
                        },
                        emptied = { from.ask { clusterCountKeysInSlot(slot) } shouldBe 0 },
                    )
                    cluster.ownerOf("{tag}") shouldBe to
                    to.ask { clusterCountKeysInSlot(slot) } shouldBe 251
                    shouldThrow<RedisCommandExecutionException> { from.ask { get("{tag}1") } }.message shouldBe
                        "MOVED $slot 127.0.0.1:${to.port}"
                    commands.get("{tag}1") shouldBe "1"
                    commands.get("{tag}new") shouldBe "new"
                }
            }
        }

        test("without one of its masters a cluster is down, and whole again when that is back") {
            RedisCluster().use { cluster ->
                val (first, second) = cluster.masters
                second.kill()
                awaitThat("the cluster is down") { first.ask { clusterInfo() }.field("cluster_state") == "fail" }
                second.restart()
                cluster.awaitHealthy()
                cluster.masters shouldHaveSize 3
            }
        }

        test("a replica takes over from a killed master") {
            RedisCluster(withReplicas = true).use { cluster ->
                val key = "key"
                val old = cluster.ownerOf(key)
                old.ask {
                    set(key, "value")
                    waitForReplication(1, 5_000)
                }
                val heir = cluster.failover(old)
                heir shouldNotBe old
                heir.ask { get(key) } shouldBe "value"
                cluster.masters shouldHaveSize 3
            }
        }

        if (RedisBinaries.of("6.2") != null) {
            test("the oldest servers form a cluster too") {
                RedisCluster(binary = checkNotNull(RedisBinaries.of("6.2"))).use { it.masters shouldHaveSize 3 }
            }
        }
    })

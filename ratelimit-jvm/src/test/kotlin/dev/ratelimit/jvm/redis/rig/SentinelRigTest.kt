package dev.ratelimit.jvm.redis.rig

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe

/** A client that found its master through the sentinels finds the next one too. */
internal class SentinelRigTest :
    FunSpec({
        test("after its master was killed, a client is connected with the heir, which has the data") {
            RedisSentinels().use { rig ->
                connected(rig.uri, reconnect = true) { connection ->
                    connection.sync().set("key", "value")
                    connection.sync().waitForReplication(2, 5_000) shouldBe 2
                    val old = rig.master
                    val heir = rig.failover()
                    old.isAlive shouldBe false
                    heir shouldNotBe old
                    rig.master shouldBe heir
                    awaitThat("the client at the heir") { connection.sync().info("server").field("tcp_port") == "${heir.port}" }
                    connection.sync().get("key") shouldBe "value"

                    rig.heal()
                    rig.replicas shouldHaveSize 2
                    rig.replicas shouldContain old
                    rig.failover() shouldNotBe heir
                }
            }
        }

        test("three sentinels agree on another master while the old one lives") {
            RedisSentinels(sentinels = 3).use { rig ->
                connected(rig.uri, reconnect = true) { connection ->
                    connection.sync().ping() shouldBe "PONG"
                    val old = rig.master
                    val heir = rig.switchOver()
                    old.isAlive shouldBe true
                    heir shouldNotBe old
                    old.ask { info("replication") }.field("role") shouldBe "slave"
                    awaitThat("the client at the heir") { connection.sync().info("server").field("tcp_port") == "${heir.port}" }
                }
            }
        }
    })

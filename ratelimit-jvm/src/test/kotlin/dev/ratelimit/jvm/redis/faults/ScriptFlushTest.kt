package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.jvm.redis.rig.RedisCluster
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.ask
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe

/** Servers that forget the script again and again. */
internal class ScriptFlushTest :
    FunSpec({
        test("SCRIPT FLUSH in a loop under load: each call is answered, and charged once (redis#13108, upstash#122)") {
            RedisServer().use { server ->
                val outages = Outages()
                storeAt(server.uri) { listener(outages) }.use { store ->
                    val load = Load(store)
                    server.ask {
                        repeat(200) {
                            scriptFlush()
                            load.awaitGrants(1)
                        }
                    }
                    load.stop()
                    load.failures.shouldBeEmpty()
                    server.used() shouldBe load.grants.get()
                    outages.began.shouldBeEmpty()
                }
            }
        }

        test("a script that one master of a Cluster forgets is told to that one again (lettuce#2853)") {
            RedisCluster().use { cluster ->
                storeAt(cluster.uri).use { store ->
                    val keys = List(30) { keyOf("user-$it") }
                    val load = Load(store, keys)
                    repeat(60) { round ->
                        cluster.masters[round % 3].ask { scriptFlush() }
                        load.awaitGrants(30)
                    }
                    load.stop()
                    load.failures.shouldBeEmpty()
                    for (key in keys) cluster.ownerOf(nameOf(key)).used(key) shouldBe load.granted.getValue(key).get()
                }
            }
        }
    })

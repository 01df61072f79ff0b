package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.ask
import dev.ratelimit.jvm.redis.rig.awaitThat
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.seconds

/** A server that dies. */
internal class RestartTest :
    FunSpec({
        test("a server that was killed and comes back empty serves again, and the store has charged nothing twice (lettuce#1426)") {
            RedisServer().use { server ->
                val outages = Outages()
                storeAt(server.uri, FailurePolicy.closed()) { listener(outages) }.use { store ->
                    repeat(5) { store.take().isAllowed shouldBe true }
                    server.used() shouldBe 5
                    server.kill()
                    awaitThat("the store notices") { outages.began.size == 1 }
                    repeat(50) { store.take().isUnavailable shouldBe true }
                    server.restart()
                    awaitThat("the server is asked again", 10.seconds) { outages.ended.size == 1 }
                    server.ask { dbsize() } shouldBe 0
                    store.take().isAllowed shouldBe true
                    server.used() shouldBe 1
                    outages.began.size shouldBe 1
                }
            }
        }

        test("killed under load, each call is answered and none is charged twice (lettuce#1426)") {
            RedisServer().use { server ->
                storeAt(server.uri, FailurePolicy.closed()).use { store ->
                    var load = Load(store)
                    repeat(3) {
                        load.awaitGrants(200)
                        server.kill()
                        val before = load.unavailable.get()
                        awaitThat("nobody waits for the dead server") { load.unavailable.get() > before + 100 }
                        // A caller may still hold a grant of the dead server that it has not counted: each server has its own load.
                        load.stop()
                        load = Load(store)
                        server.restart()
                    }
                    load.awaitGrants(200)
                    load.stop()
                    server.used() shouldBe load.grants.get()
                }
            }
        }

        test("FLUSHALL gives the whole burst back, once") {
            RedisServer().use { server ->
                storeAt(server.uri).use { store ->
                    store.take(BURST).isAllowed shouldBe true
                    store.take().isAllowed shouldBe false
                    server.ask { flushall() }
                    store.take(BURST).isAllowed shouldBe true
                    store.take().isAllowed shouldBe false
                }
            }
        }
    })

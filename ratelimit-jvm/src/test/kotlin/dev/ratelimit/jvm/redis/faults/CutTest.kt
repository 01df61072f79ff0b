package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.conformance.charge
import dev.ratelimit.jvm.redis.rig.FaultMode
import dev.ratelimit.jvm.redis.rig.FaultProxy
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.awaitThat
import dev.ratelimit.spi.BucketKey
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.lettuce.core.RedisClient

/** A reply that is lost after the server has done what it was asked: executions are counted where they happen. */
internal class CutTest :
    FunSpec({
        val server = RedisServer()
        afterSpec { server.close() }

        fun cut(
            name: String,
            open: (FaultProxy) -> RedisStore,
        ) = test("a call whose reply is cut is done once and never replayed, $name (lettuce#1426, OpenWA#932, ever-gauzy#10194)") {
            FaultProxy(server.port).use { proxy ->
                val key = keyOf(name)
                open(proxy).use { store ->
                    store.take(key = key).isAllowed shouldBe true
                    repeat(3) { round ->
                        proxy.mode = FaultMode.CutOnce
                        shouldThrow<RateLimitStoreException> { store.take(key = key) }
                        server.used(key) shouldBe 2 + 2L * round
                        awaitThat("another connection") { runCatching { store.peekAsync(listOf(charge(key)), 0).answer() }.isSuccess }
                        store.take(key = key).isAllowed shouldBe true
                        server.used(key) shouldBe 3 + 2L * round
                    }
                }
            }
        }

        cut("with the store's own client") { storeAt(it.uri) }

        cut("with a user's client that reconnects and replays by itself") { proxy ->
            storeOn(RedisClient.create(proxy.uri).also { afterSpec { _ -> it.close() } })
        }
    })

private fun charge(key: BucketKey) = SLOW.charge(1, key)

package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.conformance.charge
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.ask
import dev.ratelimit.jvm.redis.rig.awaitThat
import dev.ratelimit.spi.BucketKey
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import java.time.Duration
import java.util.concurrent.CompletionStage

/** A server without memory for anything more, which evicts nothing. */
internal class MemoryFullTest :
    FunSpec({
        val day = Duration.ofDays(1)
        val log = RateLimit.slidingLog(100, day)
        val window = RateLimit.fixedWindow(100, day)
        val string = keyOf("was a string")
        val hash = keyOf("was a hash")
        val list = listOf(keyOf("first"), keyOf("second"))

        fun RedisServer.everything(): Map<String, String> =
            ask { keys("*").sorted().associateWith { if (type(it) == "hash") "${hgetall(it).toSortedMap()}" else "${get(it)}" } }

        fun RedisStore.takeBoth(): CompletionStage<*> = tryAcquireAsync(list.map { SLOW.charge(1, it) }, Long.MAX_VALUE)

        fun scene(server: RedisServer) =
            test("out of memory the policy decides and nothing is lost or half-written, on ${server.version} (redis#8478)") {
                val outages = Outages()
                storeAt(server.uri, FailurePolicy.closed()) { listener(outages) }.use { store ->
                    store.take(key = string, limit = SLOW).isAllowed shouldBe true
                    store.take(key = hash, limit = log).isAllowed shouldBe true
                    val before = server.everything()
                    before.keys shouldHaveSize 2
                    server.ask { configSet("maxmemory", "1") }

                    fun refused(
                        key: BucketKey,
                        limit: RateLimit,
                    ) {
                        store.take(key = key, limit = limit).isUnavailable shouldBe true
                    }
                    repeat(3) {
                        refused(string, SLOW)
                        // Each replaces the bucket of another algorithm, of another kind of key.
                        refused(string, log)
                        refused(hash, log)
                        refused(hash, window)
                        store.takeBoth().answer()
                        server.everything() shouldBe before
                    }
                    outages.began shouldHaveSize 1
                    outages.ended.shouldBeEmpty()

                    server.ask { configSet("maxmemory", "0") }
                    awaitThat("the server writes again") { store.serves(string) }
                    server.used(string) shouldBe 2
                    store.take(key = hash, limit = log).remaining() shouldBe 98
                    store.take(key = string, limit = log).remaining() shouldBe 97
                    server.ask { type(nameOf(string)) } shouldBe "hash"
                }
            }

        listOfNotNull(RedisServer(), RedisServer.oldest()).forEach {
            afterSpec { _ -> it.close() }
            scene(it)
        }
    })

package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.conformance.KEY
import dev.ratelimit.jvm.conformance.charge
import dev.ratelimit.jvm.conformance.limit
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.ask
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.lettuce.core.api.sync.RedisCommands
import kotlin.time.Duration.Companion.minutes

/** Keys that hold what is no bucket. */
internal class GarbageTest :
    FunSpec({
        val server = RedisServer()
        afterSpec { server.close() }

        val wrong: Map<String, RedisCommands<String, String>.(String) -> Unit> =
            mapOf(
                "a list" to { lpush(it, "x") },
                "a set" to { sadd(it, "x") },
                "a hash of somebody" to { hset(it, "field", "x") },
                "a text" to { set(it, "hello") },
                "nothing" to { set(it, "") },
                "bytes" to { set(it, "\u0000\r\n | \u0007") },
                "half a bucket" to { set(it, "token-bucket 1/60000000us burst 5 | at=") },
                "a log without its entries" to {
                    hset(it, mapOf("limit" to "sliding-log 5/60000000us", "first" to "0", "next" to "3", "base" to "0", "newest" to "1"))
                },
                "a bucket of an unknown algorithm" to { set(it, "magic 5/60000000us | at=1 used=1 rest=0") },
            )

        for ((what, write) in wrong) {
            test("$what at a key fails the calls that need it, names the key, and is left alone") {
                storeAt(server.uri).use { store ->
                    for (algorithm in Algorithm.entries) {
                        val key = keyOf("$what $algorithm")
                        server.ask { write(nameOf(key)) }
                        val before = server.ask { dump(nameOf(key)) }
                        withClue(algorithm) {
                            val limit = algorithm.limit(5, 1.minutes)
                            val failure = shouldThrow<RateLimitStoreException> { store.take(key = key, limit = limit) }
                            failure.message shouldContain nameOf(key)
                            server.ask { dump(nameOf(key)) } shouldBe before
                        }
                        store.resetAsync(listOf(key)).answer()
                        store.take(key = key, limit = algorithm.limit(5, 1.minutes)).isAllowed shouldBe true
                    }
                }
            }
        }

        test("one damaged bucket harms no other call that goes out with it") {
            storeAt(server.uri).use { store ->
                val damaged = keyOf("damaged")
                server.ask { set(nameOf(damaged), "hello") }
                val calls = List(200) { store.tryAcquireAsync(listOf(SLOW.charge(1, if (it % 2 == 0) damaged else KEY)), Long.MAX_VALUE) }
                calls.count { call -> runCatching { call.answer() }.getOrNull()?.isAllowed == true } shouldBe 100
                server.used(KEY) shouldBe 100
            }
        }

        test("numbers beyond all bounds are answered with something, and hang or crash nothing") {
            val huge = "99999999999999999999999999"
            storeAt(server.uri, FailurePolicy.closed()).use { store ->
                val states =
                    listOf(
                        "token-bucket 1/60000000us burst 5 | at=$huge used=1 rest=0",
                        "token-bucket 1/60000000us burst 5 | at=1 used=$huge rest=$huge",
                        "token-bucket $huge/0us burst 5 | at=1 used=1 rest=0",
                        "fixed-window 5/60000000us | at=$huge used=$huge",
                    )
                for (state in states) {
                    server.ask { set(nameOf(KEY), state) }
                    withClue(state) {
                        for (algorithm in Algorithm.entries) {
                            store.take(limit = algorithm.limit(5, 1.minutes)).remaining() shouldBeInRange 0L..5L
                        }
                    }
                }
            }
        }
    })

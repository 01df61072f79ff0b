package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.Algorithm
import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.conformance.limit
import dev.ratelimit.jvm.redis.Settings
import dev.ratelimit.jvm.redis.rig.RedisSentinels
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.ask
import dev.ratelimit.jvm.redis.rig.awaitThat
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.lettuce.core.RedisClient
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes

/** After a loss of Redis' data buckets start empty, and refill from the moment of the loss. */
internal class StrictTest :
    FunSpec({
        val server = RedisServer()
        val client = RedisClient.create(server.uri)
        afterSpec {
            client.close()
            server.close()
        }

        fun scene(
            name: String,
            lose: () -> Unit,
        ) = Algorithm.entries.forEach { algorithm ->
            test("$algorithm, strict: after $name a bucket is empty, and full again a period later") {
                server.ask { flushall() }
                val now = AtomicLong(1_795_262_400_000_000)
                val settings = Settings(policy = FailurePolicy.raise(), deadlineNanos = 5_000_000_000, isStrict = true, now = now::get)
                RedisStore(client, settings).use { store ->
                    val limit = algorithm.limit(10, 1.minutes)
                    val old = keyOf("old $name")
                    store.serves(old)
                    now.addAndGet(1.hours.inWholeMicroseconds)
                    store.take(10, old, limit).isAllowed shouldBe true
                    lose()
                    awaitThat("the server is asked") { store.runCatching { take(key = keyOf("probe")) }.isSuccess }
                    for (key in listOf(old, keyOf("new $name"))) {
                        val refusal = store.take(1, key, limit)
                        refusal.isAllowed shouldBe false
                        refusal.resetAfterNanos() shouldBeInRange 1L..2.minutes.inWholeNanoseconds
                    }
                    now.addAndGet(2.minutes.inWholeMicroseconds)
                    store.take(10, old, limit).isAllowed shouldBe true
                    store.take(10, keyOf("newer $name"), limit).isAllowed shouldBe true
                    // A reset is no loss.
                    store.take(1, old, limit).isAllowed shouldBe false
                    store.resetAsync(listOf(old)).answer()
                    store.take(10, old, limit).isAllowed shouldBe true
                }
            }
        }

        scene("FLUSHALL") { server.ask { flushall() } }
        scene("a restart without data") { server.restart() }

        test("strict: a bucket refills from the moment of the loss") {
            val now = AtomicLong(1_795_262_400_000_000)
            RedisStore(client, Settings(policy = FailurePolicy.raise(), isStrict = true, now = now::get)).use { store ->
                val limit = Algorithm.TOKEN_BUCKET.limit(60, 1.minutes)
                store.serves()
                server.ask { flushall() }
                store.take(key = keyOf("first after the loss"), limit = limit).isAllowed shouldBe false
                now.addAndGet(7_000_000)
                store.take(7, keyOf("later"), limit).isAllowed shouldBe true
                store.take(1, keyOf("later"), limit).isAllowed shouldBe false
                // Reset, a bucket is full although a loss was not long ago.
                store.resetAsync(listOf(keyOf("later"))).answer()
                store.take(60, keyOf("later"), limit).isAllowed shouldBe true
            }
        }

        test("strict: without a loss nothing is different") {
            val now = AtomicLong(1_795_262_400_000_000)
            RedisStore(client, Settings("calm:", policy = FailurePolicy.raise(), isStrict = true, now = now::get)).use { store ->
                store.serves(keyOf("first"))
                now.addAndGet(1.hours.inWholeMicroseconds)
                repeat(20) { i -> store.take(60, keyOf("calm-$i"), Algorithm.TOKEN_BUCKET.limit(60, 1.minutes)).isAllowed shouldBe true }
            }
        }

        test("strict: an empty replica that becomes the master grants no second burst") {
            RedisSentinels().use { rig ->
                storeAt(rig.uri) { strict(true) }.use { store ->
                    val limit = Algorithm.TOKEN_BUCKET.limit(1_000, 10.hours)
                    store.take(limit = limit)
                    rig.servers.filter { it !== rig.master }.forEach { replica ->
                        replica.ask {
                            replicaofNoOne()
                            flushall()
                        }
                    }
                    rig.failover()
                    awaitThat("the heir is asked") { store.runCatching { take(limit = limit) }.isSuccess }
                    store.take(limit = limit).isAllowed shouldBe false
                }
            }
        }
    })

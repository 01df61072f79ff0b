package dev.ratelimit.jvm.redis.faults

import ch.qos.logback.classic.Level
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.conformance.charge
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.ask
import dev.ratelimit.spi.BucketKey
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.lettuce.core.RedisClient
import java.time.Duration
import java.util.UUID
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Mistakes, and what they are told: the value and the remedy; nothing is charged. */
internal class BadInputTest :
    FunSpec({
        val server = RedisServer()
        afterSpec { server.close() }

        test("where nobody listens: the address, and what to check") {
            val dead = RedisServer().also { it.close() }
            val failure = shouldThrow<RateLimitStoreException> { storeAt(dead.uri) }
            failure.message shouldContain "127.0.0.1:${dead.port} cannot be reached"
            failure.message shouldContain "check host and port"
        }

        test("a host that does not exist: so it says") {
            shouldThrow<RateLimitStoreException> { storeAt("redis://no.such.host.invalid") }.message shouldContain "no.such.host.invalid"
        }

        test("where nobody answers, or not in Redis' words: an error within the time to connect") {
            server.pause()
            try {
                shouldThrow<RateLimitStoreException> { storeAt(server.uri) { connectTimeout(1.seconds) } }.message shouldContain
                    "${server.port}"
            } finally {
                server.resume()
            }
            shouldThrow<RateLimitStoreException> { storeAt("rediss://127.0.0.1:${server.port}") { connectTimeout(1.seconds) } }
                .message shouldContain "${server.port}"
        }

        test("a Redis that is too old: its version, and which one is needed") {
            for (version in listOf("5.0.14", "6.0.20", "6.1.240")) {
                OldServer(version).use {
                    val failure = shouldThrow<RateLimitStoreException> { storeAt(it.uri) }
                    failure.message shouldContain "Redis $version"
                    failure.message shouldContain "6.2 or later"
                }
            }
            OldServer("6.2.0").use { storeAt(it.uri).close() }
        }

        test("a store that cannot be made tells so by its exception alone: no log, no event, as nothing will be decided") {
            val dead = RedisServer().also { it.close() }
            RedisServer("--requirepass", "secret").use { locked ->
                RedisServer("--replicaof", "127.0.0.1", "${server.port}").use { replica ->
                    OldServer("6.0.20").use { old ->
                        val outages = Outages()
                        recorded("dev.ratelimit", Level.INFO) {
                            for (uri in listOf(dead.uri, locked.uri, replica.uri, old.uri)) {
                                shouldThrow<RateLimitStoreException> { storeAt(uri) { listener(outages) } }
                            }
                            RedisClient.create(dead.uri).use { client ->
                                shouldThrow<RateLimitStoreException> { storeOn(client) { listener(outages) } }
                            }
                        }.map { it.formattedMessage }.shouldBeEmpty()
                        outages.began.shouldBeEmpty()
                        // One that may start without its server does tell.
                        val events =
                            recorded("dev.ratelimit", Level.INFO) {
                                storeAt(dead.uri) {
                                    listener(outages)
                                    mayStartAway(true)
                                }.close()
                            }
                        events.map { it.level } shouldBe listOf(Level.WARN)
                        outages.began shouldHaveSize 1
                    }
                }
            }
        }

        test("a URI that cannot be read: how to write one") {
            for (uri in listOf("", "redis", "http://host", "redis://:bad port", "redis://host:port", "redis-sentinel://", "redis://")) {
                withClue(uri) { shouldThrow<IllegalArgumentException> { RedisStore.connect(uri) }.message shouldContain "redis://user" }
            }
        }

        test("settings that cannot be meant: the value") {
            val builder = RedisStore.builder()
            shouldThrow<IllegalArgumentException> { builder.deadline(0.milliseconds) }.message shouldContain "PT0S"
            shouldThrow<IllegalArgumentException> { builder.connectTimeout((-1).seconds) }.message shouldContain "PT-1S"
            shouldThrow<IllegalArgumentException> { builder.keyPrefix("{app}:") }.message shouldContain "{app}:"
        }

        test("limits without an exact form in Redis' numbers: the limit, when the limiter is made and when it is charged") {
            val limits =
                listOf(
                    RateLimit.tokenBucket(1, Duration.ofDays(1)).withBurst(Long.MAX_VALUE),
                    RateLimit.slidingWindow(1, Duration.ofNanos(1_500)),
                    RateLimit.tokenBucket(999_999_999_999_999_989, Duration.ofNanos(1_000_000_007)),
                )
            storeAt(server.uri).use { store ->
                server.ask { flushall() }
                for (limit in limits) {
                    withClue(limit) {
                        shouldThrow<IllegalArgumentException> { RateLimiter("exact", limit, store = store) }.message shouldContain "$limit"
                        shouldThrow<IllegalArgumentException> { store.take(limit = limit) }.message shouldContain "$limit"
                    }
                }
                server.ask { dbsize() } shouldBe 0
            }
        }

        test("keys without a text that all processes agree on: the key's class") {
            storeAt(server.uri).use { store ->
                val key = BucketKey("limiter", Any(), 0)
                shouldThrow<IllegalArgumentException> { store.take(key = key) }.message shouldContain "java.lang.Object"
                store.take(key = BucketKey("limiter", UUID.randomUUID(), 0)).isAllowed shouldBe true
            }
        }

        test("a closed store says so") {
            val store = storeAt(server.uri)
            store.close()
            shouldThrow<RateLimitStoreException> { store.take() }.message shouldContain "closed"
            shouldThrow<RateLimitStoreException> { store.peekAsync(listOf(SLOW.charge()), 0).answer() }.message shouldContain "closed"
        }
    })

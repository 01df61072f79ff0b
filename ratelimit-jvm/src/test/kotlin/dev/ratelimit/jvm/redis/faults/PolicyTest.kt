package dev.ratelimit.jvm.redis.faults

import ch.qos.logback.classic.Level
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitExceededException
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.Refusal
import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.awaitThat
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.time.Duration
import java.util.concurrent.CompletableFuture

/** What is answered while Redis is away, and that it is told once. */
internal class PolicyTest :
    FunSpec({
        val server = RedisServer()
        val hour = Duration.ofHours(1)
        val ten = RateLimit.tokenBucket(10, hour)
        afterSpec { server.close() }

        fun away(
            name: String,
            policy: FailurePolicy,
            body: (RedisStore) -> Unit,
        ) = test(name) {
            val outages = Outages()
            storeAt(server.uri, policy) { listener(outages) }.use { store ->
                server.kill()
                try {
                    awaitThat("the outage is known") { outages.began.size == 1 }
                    body(store)
                } finally {
                    server.restart()
                }
            }
        }

        fun RedisStore.grants(calls: Int): Int = List(calls) { take(limit = ten) }.count { it.isAllowed }

        away("local(): the same limit in memory, and its no is a no (node-rate-limiter-flexible#337)", FailurePolicy.local()) { store ->
            store.grants(30) shouldBe 10
            val refusal = store.take(limit = ten)
            refusal.isAllowed shouldBe false
            refusal.refusal() shouldBe Refusal.LIMIT
            shouldThrow<RateLimitExceededException> {
                RateLimiter("limiter", ten, store = store).run {
                    repeat(11) { acquireBlocking(Duration.ZERO) }
                }
            }
        }

        away("local(share): the share of the limit", FailurePolicy.local(0.3)) { store ->
            store.grants(30) shouldBe 3
            // More than the share takes all of it.
            val all = store.take(9, keyOf("all"), ten)
            all.isAllowed shouldBe true
            all.remaining() shouldBe 0
            store.take(1, keyOf("all"), ten).isAllowed shouldBe false
        }

        away("open(): everything is allowed", FailurePolicy.open()) { store -> store.grants(30) shouldBe 30 }

        away("closed(): everything is refused, and not as a limit (firecrawl#3728)", FailurePolicy.closed()) { store ->
            val limiter = RateLimiter("limiter", ten, store = store)
            limiter.tryAcquireBlocking().refusal() shouldBe Refusal.UNAVAILABLE
            val started = System.nanoTime()
            limiter.tryAcquireBlocking(1, Duration.ofMillis(500)).refusal() shouldBe Refusal.UNAVAILABLE
            shouldThrow<RateLimitExceededException> { limiter.acquireBlocking(Duration.ofMillis(500)) }
                .result
                .refusal() shouldBe Refusal.UNAVAILABLE
            (System.nanoTime() - started < 20_000_000_000) shouldBe true
        }

        away("raise(): calls fail, with the server and the reason", FailurePolicy.raise()) { store ->
            shouldThrow<RateLimitStoreException> { store.take() }.message shouldContain "${server.port}"
            val limiter = RateLimiter("limiter", ten, store = store)
            shouldThrow<RateLimitStoreException> { limiter.acquireBlocking(Duration.ofSeconds(1)) }
            shouldThrow<RateLimitStoreException> { limiter.resetBlocking() }
        }

        test("who waits while everything is refused gets a permit when Redis is back") {
            val outages = Outages()
            storeAt(server.uri, FailurePolicy.closed()) { listener(outages) }.use { store ->
                server.kill()
                awaitThat("the outage is known") { outages.began.size == 1 }
                val waiting: CompletableFuture<*> = RateLimiter("waiting", ten, store = store).acquireAsync()
                repeat(20) { store.take().isUnavailable shouldBe true }
                waiting.isDone shouldBe false
                server.restart()
                waiting.answer()
            }
        }

        test("an outage is one WARN and one event when it begins, one INFO and one event when it ends") {
            val outages = Outages()
            val events =
                recorded("dev.ratelimit", Level.INFO) {
                    storeAt(server.uri, FailurePolicy.local()) { listener(outages) }.use { store ->
                        repeat(2) { round ->
                            store.take()
                            server.kill()
                            awaitThat("the outage is known") { outages.began.size == round + 1 }
                            repeat(100) { store.take() }
                            server.restart()
                            awaitThat("its end is known") { outages.ended.size == round + 1 }
                            repeat(100) { store.take() }
                        }
                    }
                }
            events.map { it.level } shouldBe listOf(Level.WARN, Level.INFO, Level.WARN, Level.INFO)
            events.forEach { it.formattedMessage shouldContain "${server.port}" }
            outages.began shouldHaveSize 2
            outages.ended shouldHaveSize 2
        }

        test("without an outage nothing is told") {
            val outages = Outages()
            recorded("dev.ratelimit", Level.INFO) {
                storeAt(server.uri) { listener(outages) }.use { store -> repeat(100) { store.take() } }
            }.shouldBeEmpty()
            outages.began.shouldBeEmpty()
            outages.ended.shouldBeEmpty()
        }

        test("a store that may start while Redis is away does, and uses it once it is there") {
            val late = RedisServer()
            late.kill()
            late.use {
                storeAt(late.uri, FailurePolicy.closed()) { mayStartAway(true) }.use { store ->
                    store.take().isUnavailable shouldBe true
                    late.restart()
                    awaitThat("the server is asked") { store.serves() }
                }
            }
        }
    })

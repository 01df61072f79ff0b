package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.Algorithm
import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.conformance.limit
import dev.ratelimit.jvm.redis.Settings
import dev.ratelimit.jvm.redis.rig.RedisServer
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.lettuce.core.RedisClient
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes

/** A server whose clock is set while buckets are in use; its instants are sent along, as its clock cannot be moved. */
internal class ClockStepTest :
    FunSpec({
        val server = RedisServer()
        val client = RedisClient.create(server.uri)
        val now = AtomicLong(1_795_262_400_000_000)
        val hour = 1.hours.inWholeMicroseconds
        val settings = Settings(policy = FailurePolicy.raise(), deadlineNanos = 5_000_000_000, now = now::get)
        val store = RedisStore(client, settings)
        afterSpec {
            store.close()
            client.close()
            server.close()
        }

        for (algorithm in Algorithm.entries) {
            val limit = algorithm.limit(10, 1.minutes)

            test("$algorithm: a clock that steps back by an hour opens nothing again, and nobody waits for ever") {
                val key = keyOf("back $algorithm")
                store.take(10, key, limit).isAllowed shouldBe true
                now.addAndGet(-hour)
                val refusal = store.take(1, key, limit)
                refusal.isAllowed shouldBe false
                withClue(refusal) { refusal.retryAfterNanos() shouldBeInRange 1L..62.minutes.inWholeNanoseconds }
                // Nor once the clock is right again.
                now.addAndGet(hour)
                store.take(1, key, limit).isAllowed shouldBe false
                now.addAndGet(2.minutes.inWholeMicroseconds)
                store.take(10, key, limit).isAllowed shouldBe true
            }

            test("$algorithm: a clock that steps forward by an hour gives one burst, no more") {
                val key = keyOf("forward $algorithm")
                store.take(10, key, limit).isAllowed shouldBe true
                now.addAndGet(hour)
                store.take(10, key, limit).isAllowed shouldBe true
                store.take(1, key, limit).isAllowed shouldBe false
                now.addAndGet(-hour)
                store.take(1, key, limit).isAllowed shouldBe false
                now.addAndGet(hour)
            }
        }
    })

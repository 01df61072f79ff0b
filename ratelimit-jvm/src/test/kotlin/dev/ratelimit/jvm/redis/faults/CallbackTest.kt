package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.RateLimitResult
import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.awaitThat
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldNotContain
import io.kotest.matchers.string.shouldNotStartWith
import kotlin.time.Duration.Companion.milliseconds

/** Callers who do in a callback what they would do anywhere. */
internal class CallbackTest :
    FunSpec({
        val server = RedisServer()
        afterSpec { server.close() }

        test("a blocking call inside the callback of a future does not dead-lock (lettuce#1402)") {
            storeAt(server.uri).use { store ->
                val limiter = RateLimiter("callback", SLOW, store = store)
                val nested = { _: RateLimitResult -> limiter.acquireBlocking().also { limiter.peekBlocking() } }
                // More at a time than Lettuce has threads.
                val all = List(64) { limiter.tryAcquireAsync().thenApply(nested) } + List(64) { limiter.acquireAsync().thenApply(nested) }
                all.forEach { it.answer().isAllowed shouldBe true }
                val thread = limiter.acquireAsync().thenApply { Thread.currentThread().name }.answer()
                thread shouldNotStartWith "lettuce"
                thread shouldNotContain "ratelimit-timer"
            }
        }

        test("nor does it when the deadline completes the future") {
            storeAt(server.uri, FailurePolicy.closed()) { deadline(300.milliseconds) }.use { store ->
                val limiter = RateLimiter("deadline", SLOW, store = store)
                awaitThat("a grant") { store.serves() }
                server.pause()
                try {
                    val all = List(64) { limiter.tryAcquireAsync().thenApply { limiter.tryAcquireBlocking() } }
                    all.forEach { it.answer().isUnavailable shouldBe true }
                } finally {
                    server.resume()
                }
            }
        }
    })

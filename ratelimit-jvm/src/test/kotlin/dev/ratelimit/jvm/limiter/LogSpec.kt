package dev.ratelimit.jvm.limiter

import ch.qos.logback.classic.Level
import dev.ratelimit.RateLimitListener
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.perSecond
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import java.time.Duration as JavaDuration

/** What is written to the log of `dev.ratelimit.RateLimiter`. */
internal class LogSpec :
    FunSpec({
        fun waitAndBeRefused() =
            runTest {
                val users = KeyedRateLimiter<String>("users", 1.perSecond, store = MemoryStore(clock))
                users["alice"].tryAcquire()
                launch { users["alice"].acquire() }
                runCurrent()
                users["alice"].tryAcquire()
            }

        test("waits and refusals are logged at debug, with name and key; grants are not") {
            val events = logged(Level.DEBUG) { waitAndBeRefused() }
            events.map { it.level } shouldBe listOf(Level.DEBUG, Level.DEBUG)
            for (event in events) {
                event.formattedMessage shouldContain "users"
                event.formattedMessage shouldContain "alice"
            }
            events[0].formattedMessage shouldContain "wait"
            events[1].formattedMessage shouldContain "refused (LIMIT) by 1/1s, retry after PT2S"
        }

        test("above debug nothing is logged of waits, refusals and outages") {
            logged(Level.INFO) {
                waitAndBeRefused()
                runCatching { RateLimiter("down", 1.perSecond, store = DownStore()).tryAcquire() }
            }.shouldBeEmpty()
        }

        test("an outage is logged at debug with its cause: whoever decides what to do about it warns") {
            val event = logged(Level.DEBUG) { runCatching { RateLimiter("down", 1.perSecond, store = DownStore()).tryAcquire() } }.single()
            event.level shouldBe Level.DEBUG
            event.formattedMessage shouldContain "down"
            event.throwableProxy.message shouldBe "the disk is gone"
        }

        test("a listener that fails is warned of, with its exception") {
            val listener =
                object : RateLimitListener {
                    override fun onGrant(
                        limiter: String,
                        key: Any?,
                        permits: Long,
                        waited: JavaDuration,
                    ) = error("mine")
                }
            val event = logged(Level.WARN) { RateLimiter("brave", 1.perSecond, listener = listener).tryAcquire() }.single()
            event.level shouldBe Level.WARN
            event.formattedMessage shouldContain "brave"
            event.throwableProxy.message shouldBe "mine"
        }
    })

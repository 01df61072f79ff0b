package dev.ratelimit.jvm.limiter

import dev.ratelimit.KeyedRateLimiter
import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimit
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.RateLimiterRegistry
import dev.ratelimit.jvm.RateLimiters
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perMinute
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.jvm.settle
import dev.ratelimit.jvm.tryAcquire
import dev.ratelimit.jvm.withPermit
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.test.runTest
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import java.time.Duration as JavaDuration

/** Each bad value is refused at once with the value in the message, by every face of every kind of limiter, and changes nothing. */
internal class BadInputSpec :
    FunSpec({
        /** Ten a second, of which seven are left, in every kind of limiter. */
        fun limiters(): Map<String, RateLimiter> {
            val limits = arrayOf(10.perSecond, 1_000.perHour)
            return mapOf(
                "memory, one limit" to RateLimiter("bad", 10.perSecond, store = MemoryStore(ManualClock())),
                "memory" to RateLimiter("bad", *limits, store = MemoryStore(ManualClock())),
                "key" to KeyedRateLimiter<Int>("bad", *limits, store = MemoryStore(ManualClock()))[1],
                "local store" to RateLimiter("bad", *limits, store = ForeignLocalStore()),
                "any store" to RateLimiter("bad", *limits, store = WireStore()),
            ).onEach { (_, limiter) -> limiter.tryAcquireBlocking(3) }
        }

        fun refused(
            vararg values: Any,
            call: suspend (RateLimiter) -> Unit,
        ) = limiters().forEach { (kind, limiter) ->
            withClue("$kind, ${values.first()}") {
                val before = limiter.peekBlocking()
                runTest {
                    val message = shouldThrow<IllegalArgumentException> { call(limiter) }.message
                    values.forEach { message shouldContain "$it" }
                }
                limiter.peekBlocking() shouldBe before
                limiter.peekBlocking().remaining() shouldBe 7
            }
        }

        val never = listOf(0L, -1L, Long.MIN_VALUE, 11L, Long.MAX_VALUE)

        for (permits in never) {
            test("$permits permits of a limit of ten") {
                val advice = if (permits > 0) "at most 10" else "1 or more"
                val value = "permits $permits"
                refused(value, advice) { it.tryAcquire(permits) }
                refused(value, advice) { it.tryAcquire(permits, maxWait = 1.seconds) }
                refused(value, advice) { it.acquire(permits) }
                refused(value, advice) { it.acquire(permits, maxWait = 1.seconds) }
                refused(value, advice) { it.withPermit(permits) { error("the block must not run") } }
                refused(value, advice) { it.tryAcquireAsync(permits) }
                refused(value, advice) { it.tryAcquireAsync(permits, JavaDuration.ofSeconds(1)) }
                refused(value, advice) { it.acquireAsync(permits) }
                refused(value, advice) { it.acquireAsync(permits, JavaDuration.ofSeconds(1)) }
                refused(value, advice) { it.tryAcquireBlocking(permits) }
                refused(value, advice) { it.tryAcquireBlocking(permits, JavaDuration.ofSeconds(1)) }
                refused(value, advice) { it.acquireBlocking(permits) }
                refused(value, advice) { it.acquireBlocking(permits, JavaDuration.ofSeconds(1)) }
            }
        }

        test("a negative wait") {
            val java = JavaDuration.ofMillis(-1)
            refused("maxWait -1ms", "Duration.ZERO") { it.acquire(maxWait = (-1).milliseconds) }
            refused("maxWait -1ms", "Duration.ZERO") { it.tryAcquire(maxWait = (-1).milliseconds) }
            refused("maxWait -Infinity") { it.acquire(maxWait = -Duration.INFINITE) }
            refused("maxWait -1ms") { it.withPermit(maxWait = (-1).milliseconds) { error("the block must not run") } }
            refused("maxWait $java", "Duration.ZERO") { it.acquireAsync(java) }
            refused("maxWait $java") { it.acquireAsync(1, java) }
            refused("maxWait $java") { it.tryAcquireAsync(1, java) }
            refused("maxWait $java") { it.acquireBlocking(java) }
            refused("maxWait $java") { it.acquireBlocking(1, java) }
            refused("maxWait $java") { it.tryAcquireBlocking(1, java) }
        }

        test("a settlement of negative numbers") {
            for (negative in listOf(-1L, Long.MIN_VALUE)) {
                refused("estimated $negative") { it.settle(negative, 1) }
                refused("actual $negative") { it.settle(1, negative) }
                refused("estimated $negative") { it.settleAsync(negative, negative) }
                refused("actual $negative") { it.settleBlocking(1, negative) }
            }
        }

        test("no limits at all") {
            val teaching = "limits are empty; give at least one, for example RateLimit.perSecond(10)"
            refused(teaching) { it.setLimits() }
            refused(teaching) { it.setLimits(emptyList()) }
            shouldThrow<IllegalArgumentException> { RateLimiter("bad") }.message shouldBe teaching
            shouldThrow<IllegalArgumentException> { KeyedRateLimiter<Int>("bad") }.message shouldBe teaching
            shouldThrow<IllegalArgumentException> { RateLimiters.builder("bad").build() }.message shouldBe teaching
        }

        test("a name without letters, and bounds without room") {
            for (name in listOf("", " ", "\t\n")) {
                shouldThrow<IllegalArgumentException> { RateLimiter(name, 10.perSecond) }.message shouldContain "name is empty; give it one"
                shouldThrow<IllegalArgumentException> { RateLimiterRegistry().limiter(name, 10.perSecond) }
            }
            for (bound in listOf(-1, Int.MIN_VALUE)) {
                val refusal = shouldThrow<IllegalArgumentException> { RateLimiter("bad", 10.perSecond, maxWaiters = bound) }
                refusal.message shouldBe "maxWaiters $bound is negative; write 0 to let nobody wait"
                shouldThrow<IllegalArgumentException> { RateLimiterRegistry(maxWaiters = bound) }.message shouldBe refusal.message
                val refused = shouldThrow<IllegalArgumentException> { MemoryStore(maxKeys = bound) }
                refused.message shouldContain "maxKeys $bound is not positive"
            }
            shouldThrow<IllegalArgumentException> { MemoryStore(maxKeys = 0) }.message shouldContain "write 1 or more"
        }

        test("rates and periods that are none") {
            for (rate in listOf(0.0, -1.0, Double.NaN, Double.POSITIVE_INFINITY)) {
                shouldThrow<IllegalArgumentException> { rate.perSecond }.message shouldContain "rate $rate is not a positive number"
            }
            shouldThrow<IllegalArgumentException> { 0.perMinute }.message shouldContain "perMinute(10)"
            shouldThrow<IllegalArgumentException> { (-5).perHour }.message shouldContain "-5"
            for (period in listOf(Duration.INFINITE, -Duration.INFINITE)) {
                val message = shouldThrow<IllegalArgumentException> { RateLimit.fixedWindow(5, period) }.message
                message shouldBe "period $period is not finite; write for example 5.minutes"
            }
            shouldThrow<IllegalArgumentException> { RateLimit.every(Duration.ZERO) }.message shouldContain "not positive"
            shouldThrow<IllegalArgumentException> { RateLimit.slidingLog(1, (-1).seconds) }.message shouldContain "PT-1S"
        }

        test("the smallest of several limits says what can never be granted") {
            val limiter = RateLimiter("bad", 10.perSecond, 5.perHour, store = MemoryStore(ManualClock()))
            shouldThrow<IllegalArgumentException> { limiter.tryAcquire(6) }.message shouldContain "by 5/1h; ask for at most 5"
            limiter.peek().remaining() shouldBe 5
        }

        test("what was granted is not lost when the next call is refused for good") {
            val keyed: KeyedRateLimiter<String> = KeyedRateLimiter("bad", 10.perSecond, store = MemoryStore(ManualClock()))
            keyed["a"].tryAcquireBlocking(4)
            shouldThrow<IllegalArgumentException> { keyed["a"].tryAcquireBlocking(11) }
            keyed["a"].tryAcquireBlocking().remaining() shouldBe 5
        }
    })

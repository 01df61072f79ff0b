package dev.ratelimit.jvm.limiter

import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimit
import dev.ratelimit.jvm.RateLimiterRegistry
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perMinute
import dev.ratelimit.jvm.perSecond
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.booleans.shouldBeTrue
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeSameInstanceAs
import kotlinx.coroutines.async
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlin.random.Random
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import dev.ratelimit.RateLimit as Limit

internal class RegistrySpec :
    FunSpec({
        fun registry() = RateLimiterRegistry(MemoryStore(ManualClock()))

        test("the same name is the same bucket and the same line") {
            runTest {
                val registry = RateLimiterRegistry(MemoryStore(clock))
                registry.limiter("sec.gov", 1.perSecond).tryAcquire().isAllowed shouldBe true
                registry.limiter("sec.gov", 1.perSecond).tryAcquire().isAllowed shouldBe false
                val first = async { registry.limiter("sec.gov", 1.perSecond).acquire() }
                runCurrent()
                val second = async { registry.limiter("sec.gov", 1.perSecond).acquire() }
                second.await()
                testScheduler.currentTime shouldBe 2_000
                first.isCompleted shouldBe true
            }
        }

        test("the same limits in another order are the same limits") {
            val registry = registry()
            val limiter = registry.limiter("sec.gov", 10.perSecond, 1_000.perHour)
            registry.limiter("sec.gov", 1_000.perHour, 10.perSecond) shouldBeSameInstanceAs limiter
        }

        test("other limits are refused, and the message names both and says what to do") {
            val registry = registry()
            registry.limiter("sec.gov", 10.perSecond)
            val message = shouldThrow<IllegalArgumentException> { registry.limiter("sec.gov", 10.perSecond, 5.perHour) }.message
            message shouldContain "'sec.gov' has the limits [10/1s], not [10/1s, 5/1h]"
            message shouldContain "use tighten"
            registry.limiter("sec.gov", 10.perSecond).limits() shouldBe listOf(10.perSecond)
        }

        test("tightening: the strictest wins") {
            for ((before, asked, after) in listOf(
                Triple("10/s", "20/s", "10/s"),
                Triple("20/s", "10/s", "10/s"),
                Triple("10/s", "10/s", "10/s"),
                Triple("600/m burst 10", "10/s", "600/m burst 10"),
                Triple("5/m fixed-window", "4/m fixed-window", "4/m fixed-window"),
                Triple("5/m sliding-log", "6/m sliding-log", "5/m sliding-log"),
                Triple("5/m sliding-window", "4/m sliding-window", "4/m sliding-window"),
                Triple("5/s leaky-bucket burst 9", "5/s leaky-bucket burst 8", "5/s leaky-bucket burst 8"),
                Triple("10/s, 1000/h", "1/s", "1/s, 1000/h"),
                Triple("10/s, 9/s burst 20, 1000/h", "8/s", "8/s, 1000/h"),
                Triple("10/s", "9/s, 8/s, 7/s", "7/s"),
                Triple("10/s", "7/s, 8/s", "7/s"),
            )) {
                withClue("$before tightened by $asked") {
                    val registry = registry()
                    registry.limiter("sec.gov", *limits(before))
                    val limiter = registry.tighten("sec.gov", *limits(asked))
                    limiter.limits() shouldBe limits(after).toList()
                }
            }
        }

        test("tightening: limits of which neither implies the other rule together") {
            for ((before, asked) in listOf(
                "10/s" to "100/h",
                "10/s burst 5" to "5/s burst 10",
                "10/s" to "1/s fixed-window",
                "5/m fixed-window" to "4/s fixed-window",
                "5/m sliding-log" to "5/m sliding-window",
                "5/s" to "5/s leaky-bucket burst 5",
            )) {
                withClue("$before tightened by $asked") {
                    val registry = registry()
                    registry.limiter("sec.gov", *limits(before))
                    registry.tighten("sec.gov", *limits(asked)).limits() shouldContainExactlyInAnyOrder limits("$before, $asked").toList()
                }
            }
        }

        test("tightening never loosens: whatever is granted before and after, the first limits would have granted too") {
            val random = Random(11)
            repeat(200) {
                val clock = ManualClock()
                val loose = RateLimiterRegistry(MemoryStore(clock)).limiter("loose", *randomLimits(random))
                val registry = RateLimiterRegistry(MemoryStore(clock))
                val tight = registry.limiter("tight", *loose.limits().toTypedArray())
                repeat(60) {
                    if (random.nextInt(12) == 0) registry.tighten("tight", *randomLimits(random))
                    if (tight.tryAcquire().isAllowed) {
                        withClue("${loose.limits()} and ${tight.limits()}") { loose.tryAcquire().isAllowed.shouldBeTrue() }
                    }
                    clock += random.nextInt(1_500).seconds / 1_000
                }
            }
        }

        test("tightening keeps what was used, and holds back those who wait") {
            val registry = registry()
            val limiter = registry.limiter("sec.gov", 10.perMinute)
            limiter.tryAcquire(8)
            registry.tighten("sec.gov", 4.perMinute, RateLimit.fixedWindow(100, 1.hours))
            limiter.peek().remaining() shouldBe 2
            limiter.limits() shouldBe listOf(4.perMinute, RateLimit.fixedWindow(100, 1.hours))
        }

        test("a limit that replaces several takes over the strictest: what that one had spent stays spent") {
            for (before in listOf("1000/h, 100/h", "100/h, 1000/h", "1000/h, 100/h, 2000/h")) {
                withClue(before) {
                    val registry = registry()
                    val limiter = registry.limiter("sec.gov", *limits(before))
                    limiter.tryAcquire(limiter.peek().remaining())
                    registry.tighten("sec.gov", *limits("10/h burst 5")).tryAcquire().isAllowed shouldBe false
                }
            }
        }

        test("tightening a new name makes it") {
            registry().tighten("sec.gov", RateLimit.slidingLog(3, 1.minutes)).tryAcquire().remaining() shouldBe 2
        }
    }) {
    private companion object {
        fun limits(texts: String) = texts.split(", ").map(Limit::parse).toTypedArray()

        fun randomLimits(random: Random) =
            Array(random.nextInt(1, 3)) {
                val permits = random.nextLong(1, 6)
                when (random.nextInt(3)) {
                    0 -> RateLimit.fixedWindow(permits, 1.seconds)
                    1 -> RateLimit.slidingLog(permits, random.nextInt(1, 3).seconds)
                    else -> RateLimit.tokenBucket(permits, 1.seconds)
                }
            }
    }
}

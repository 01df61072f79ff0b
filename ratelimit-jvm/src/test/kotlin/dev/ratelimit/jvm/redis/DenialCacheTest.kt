package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeAtMost
import io.kotest.matchers.shouldBe

/** Denials that are remembered, by hand. Instants are nanoseconds. */
internal class DenialCacheTest :
    FunSpec({
        val limit = RateLimit.perSecond(10.0)
        val denied = RateLimitResult.denied(limit, 3, 100, 250)
        val forever = Long.MAX_VALUE

        fun charges(
            key: Any? = "key",
            permits: Long = 5,
            ofLimit: RateLimit = limit,
            limiter: String = "limiter",
        ) = listOf(Charge(BucketKey(limiter, key, 0), ofLimit, permits))

        var now = 0L
        lateinit var denials: DenialCache

        beforeTest {
            now = 1_000
            denials = DenialCache(64) { now }
        }

        test("a denial holds until its own retryAfter, counted from the question, and not a nanosecond longer") {
            denials.remember(charges(), forever, denied, now - 20)
            denials.find(charges(), forever) shouldBe RateLimitResult.denied(limit, 3, 80, 230)
            now += 79
            denials.find(charges(), forever) shouldBe RateLimitResult.denied(limit, 3, 1, 151)
            now += 1
            denials.find(charges(), forever) shouldBe null
        }

        test("other permits, limits, keys, limiters and delays are other questions") {
            denials.remember(charges(), forever, denied, now)
            val others =
                listOf(charges(permits = 4), charges(permits = 6), charges(ofLimit = RateLimit.perSecond(11.0)), charges(key = null)) +
                    listOf(charges(key = "yek"), charges(limiter = "other"), charges() + charges(), charges(key = 5))
            others.map { denials.find(it, forever) } shouldBe others.map { null }
            denials.find(charges(), 10) shouldBe null
            denials.find(charges(), forever)?.isAllowed shouldBe false
        }

        test("keys of one hash are never confused: the newer takes the place of the older") {
            "Aa".hashCode() shouldBe "BB".hashCode()
            denials.remember(charges("Aa"), forever, denied, now)
            denials.find(charges("BB"), forever) shouldBe null
            denials.remember(charges("BB"), forever, denied, now)
            denials.find(charges("Aa"), forever) shouldBe null
            denials.find(charges("BB"), forever)?.isAllowed shouldBe false
        }

        test("never more are remembered than the bound") {
            for (bound in listOf(1, 7, 64)) {
                val few = DenialCache(bound) { now }
                repeat(1_000) { few.remember(charges("key $it"), forever, denied, now) }
                (0..999).count { few.find(charges("key $it"), forever) != null } shouldBeAtMost bound
            }
        }

        test("what changes a bucket forgets its denials, also one that was asked for before and comes after") {
            denials.remember(charges(), forever, denied, now)
            now += 10
            denials.forget(charges()[0].key)
            denials.find(charges(), forever) shouldBe null
            denials.remember(charges(), forever, denied, now - 5)
            denials.remember(charges(), forever, denied, now)
            denials.find(charges(), forever) shouldBe null
            now += 1
            denials.remember(charges(), forever, denied, now)
            denials.find(charges(), forever)?.isAllowed shouldBe false
        }

        test("lists over several keys are not kept, for a reset of the second would not find them") {
            val list = charges("a") + charges("b")
            denials.remember(list, forever, denied, now)
            denials.find(list, forever) shouldBe null
        }
    })

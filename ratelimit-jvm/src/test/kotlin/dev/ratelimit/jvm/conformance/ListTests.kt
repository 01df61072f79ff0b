package dev.ratelimit.jvm.conformance

import dev.ratelimit.Algorithm
import dev.ratelimit.spi.BucketKey
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** Several limits, keys and weights in one operation. */
internal fun FunSpec.listTests(open: () -> StoreFixture) {
    fun slot(i: Int) = BucketKey("limiter", "key", i)

    fun key(name: String) = BucketKey("limiter", name, 0)

    storeTest("several limits are all or nothing, whichever of them is exhausted", open) {
        val limits = Algorithm.entries.map { it.limit(10, 1.hours) }
        for (exhausted in limits.indices) {
            val keys = limits.indices.map { BucketKey("limiter", "exhausted $exhausted", it) }
            val charges = limits.indices.map { limits[it].charge(1L + it, keys[it]) }
            take(limits[exhausted].charge(10, keys[exhausted])) shouldBeAllowed true
            take(charges) shouldBeAllowed false
            for (i in limits.indices) withClue("${limits[i]}") { left(limits[i], keys[i]) shouldBe if (i == exhausted) 0 else 10 }
            reset(keys[exhausted])
            take(charges) shouldBeAllowed true
            for (i in limits.indices) withClue("${limits[i]}") { left(limits[i], keys[i]) shouldBe 9 - i }
        }
    }

    eachAlgorithm("several keys are all or nothing", open) { algorithm ->
        val limit = algorithm.limit(10, 1.hours)
        take(limit.charge(8, key("b"))) shouldBeAllowed true
        take(limit.charge(5, key("a")), limit.charge(3, key("b"))) shouldBeAllowed false
        take(limit.charge(3, key("b")), limit.charge(5, key("a"))) shouldBeAllowed false
        left(limit, key("a")) shouldBe 10
        take(limit.charge(5, key("a")), limit.charge(2, key("b"))) shouldBeAllowed true
        left(limit, key("a")) shouldBe 5
        left(limit, key("b")) shouldBe 0
    }

    eachAlgorithm("the permits of the same bucket in one list add up", open) { algorithm ->
        val limit = algorithm.limit(10, 1.hours)
        take(limit.charge(2), limit.charge(5)).shouldLeave(3)
        take(limit.charge(2), limit.charge(2)) shouldBeAllowed false
        left(limit) shouldBe 3
        take(limit.charge(1), limit.charge(1, key("other")), limit.charge(2)).shouldLeave(0)
        left(limit, key("other")) shouldBe 9
    }

    eachAlgorithm("the same bucket more often than its burst is never, and changes nothing", open) { algorithm ->
        val limit = algorithm.limit(10, 1.hours)
        shouldThrow<IllegalArgumentException> { take(limit.charge(6), limit.charge(1, key("other")), limit.charge(5)) }
        left(limit) shouldBe 10
        left(limit, key("other")) shouldBe 10
    }

    storeTest("a refusal names the limit with the longest wait, wherever it stands in the list", open) {
        val fast = Algorithm.TOKEN_BUCKET.limit(1, 1.seconds)
        val slow = Algorithm.TOKEN_BUCKET.limit(1, 1.minutes)
        val free = Algorithm.TOKEN_BUCKET.limit(5, 1.hours)
        val charges = listOf(fast.charge(key = slot(0)), slow.charge(key = slot(1)), free.charge(key = slot(2)))
        take(charges) shouldBeAllowed true
        for (order in listOf(charges, charges.reversed())) {
            val refusal = take(order)
            refusal.limit() shouldBe slow
            refusal.retryAfterNanos() shouldBe 1.minutes.inWholeNanoseconds
            refusal.remaining() shouldBe 0
            peek(*order.toTypedArray()) shouldBe refusal
        }
        left(free, slot(2)) shouldBe 4
        advance(1.minutes)
        take(charges) shouldBeAllowed true
    }

    storeTest("a grant names the limit with the fewest permits left, wherever it stands in the list", open) {
        val many = Algorithm.TOKEN_BUCKET.limit(100, 1.hours)
        val few = Algorithm.FIXED_WINDOW.limit(10, 1.hours)
        val charges = listOf(many.charge(key = slot(0)), few.charge(key = slot(1)))
        for ((i, order) in listOf(charges, charges.reversed()).withIndex()) {
            val grant = take(order)
            grant.shouldLeave(9L - i)
            grant.limit() shouldBe few
        }
        take(many.charge(97, slot(0))).shouldLeave(1)
        take(charges).limit() shouldBe many
    }

    storeTest("a list of fifty buckets is one operation", open) {
        val limit = Algorithm.SLIDING_LOG.limit(1, 1.hours)
        take(limit.charge(key = key("49"))) shouldBeAllowed true
        val charges = List(50) { limit.charge(key = key("$it")) }
        take(charges) shouldBeAllowed false
        take(charges.dropLast(1)) shouldBeAllowed true
        for (charge in charges) take(charge) shouldBeAllowed false
    }
}

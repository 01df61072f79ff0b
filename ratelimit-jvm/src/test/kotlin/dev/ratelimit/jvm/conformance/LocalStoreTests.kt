package dev.ratelimit.jvm.conformance

import dev.ratelimit.Algorithm
import dev.ratelimit.spi.LocalRateLimitStore
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/** What only local stores promise: answers by instants, and a look behind a line. */
internal fun FunSpec.localStoreTests(open: () -> StoreFixture) {
    fun localTest(
        name: String,
        algorithm: Algorithm,
        body: suspend Kit.(LocalRateLimitStore) -> Unit,
    ) = test("local, $algorithm: $name").config(enabledIf = { open().use { it.isLocal } }) {
        open().use { Kit(it).body(it.store as LocalRateLimitStore) }
    }

    for (algorithm in Algorithm.entries) {
        localTest("the two faces of the store are one", algorithm) { local ->
            val limit = algorithm.limit(10, 1.hours)
            val now = { local.clock().nanoTime() }
            local.tryAcquire(listOf(limit.charge(4)), now(), Long.MAX_VALUE).shouldLeave(6)
            peek(limit.charge(7)) shouldBe local.peek(listOf(limit.charge(7)), now(), 0)
            local.adjust(listOf(limit.adjustment(-1)))
            take(limit.charge(7)).shouldLeave(0)
            local.reset(listOf(KEY))
            left(limit) shouldBe 10
        }

        localTest("a call at an earlier instant is decided as of that instant, and mints nothing", algorithm) { local ->
            val limit = algorithm.limit(1, 1.seconds)
            alignTo(1.seconds)
            take(limit.charge()) shouldBeAllowed true
            val due = local.clock().nanoTime() + take(limit.charge()).retryAfterNanos()
            advance((due - local.clock().nanoTime()).nanoseconds + 50.milliseconds)
            local.tryAcquire(listOf(limit.charge()), due - 1, Long.MAX_VALUE) shouldBeAllowed false
            local.tryAcquire(listOf(limit.charge()), due, Long.MAX_VALUE) shouldBeAllowed true
            take(limit.charge()) shouldBeAllowed false
        }

        localTest("behind others in line a wait is longer, and nothing changes", algorithm) { local ->
            val limit = algorithm.limit(2, 1.seconds)
            alignTo(1.seconds)
            val now = local.clock().nanoTime()
            local.peek(listOf(limit.charge()), now, 1) shouldBeAllowed true
            val behind = local.peek(listOf(limit.charge()), now, 2)
            behind shouldBeAllowed false
            take(limit.charge(2)).shouldLeave(0)
            behind.retryAfterNanos() shouldBe take(limit.charge()).retryAfterNanos()
            local.peek(listOf(limit.charge()), now, Long.MAX_VALUE) shouldBeAllowed false
        }
    }
}

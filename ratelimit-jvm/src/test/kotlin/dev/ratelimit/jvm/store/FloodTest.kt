package dev.ratelimit.jvm.store

import dev.ratelimit.RateLimit
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeAtMost
import io.kotest.matchers.shouldBe

/**
 * Keys that come once each, as an attacker makes them up (KTOR-5872, governor#171, immich-folio#62), in a store for ten thousand: a
 * million of them; ten million are `mvn -B -ntp -pl ratelimit-jvm -am test -Dtest=FloodTest -Dratelimit.flood.keys=10000000`.
 */
internal class FloodTest : FunSpec({ floodTests(Integer.getInteger("ratelimit.flood.keys", 1_000_000), Bounded::inMemory) })

private const val MAX_KEYS = 10_000

/** A flood of so many [keys] on a store that [open] makes. */
internal fun FunSpec.floodTests(
    keys: Int,
    open: (ManualClock, Int) -> Bounded,
) {
    val hourly = RateLimit.perHour(5.0)
    val single = RateLimit.perHour(1.0)
    val daily = RateLimit.perDay(5.0)

    test("a flood of $keys keys takes bounded memory, is served, and gives no exhausted key its burst again") {
        val store = open(ManualClock(), MAX_KEYS)
        repeat(5) { store.take(hourly, "five calls").isAllowed shouldBe true }
        store.take(hourly, "one call of five", 5).isAllowed shouldBe true
        repeat(2) { store.take(single, "burst of one, hit twice") }
        repeat(5) { store.takeAll(listOf(hourly, daily), "two limits") }

        for (i in 1..keys) {
            if (!store.take(hourly, i).isAllowed) withClue("key $i is new") { false shouldBe true }
            if (i % 1_000 == 0) store.size shouldBeAtMost store.most
        }

        store.left(hourly, "five calls") shouldBe 0
        store.left(hourly, "one call of five") shouldBe 0
        store.left(single, "burst of one, hit twice") shouldBe 0
        store.takeAll(listOf(hourly, daily), "two limits").isAllowed shouldBe false
    }

    test("a flood of keys under two limits gives no exhausted key its burst again") {
        val store = open(ManualClock(), MAX_KEYS)
        val both = listOf(single, daily)
        repeat(2) { store.takeAll(both, "burst of one, hit twice") }
        repeat(2) { store.take(single, "one limit, hit twice") }
        repeat(keys / 10) { store.takeAll(both, it).isAllowed shouldBe true }
        store.size shouldBeAtMost store.most
        store.takeAll(both, "burst of one, hit twice").isAllowed shouldBe false
        store.take(single, "one limit, hit twice").isAllowed shouldBe false
    }
}

package dev.ratelimit.ktor.server.monitoring

import dev.ratelimit.ktor.server.RateLimitMetrics
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.comparables.shouldBeLessThanOrEqualTo
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.ints.shouldBeInRange
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.maps.shouldBeEmpty
import io.kotest.matchers.shouldBe
import kotlin.concurrent.thread
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** What is denied most: exact while there is little, bounded and never too high when there is much. */
class TopDenialsTest :
    FunSpec({
        val clock = TestClock()
        lateinit var monitoring: LocalMonitoring

        beforeTest {
            clock.set("2026-11-21T12:00:00Z")
            monitoring = LocalMonitoring(clock, 7.days)
        }

        suspend fun keys(window: Duration = 1.hours) = monitoring.metrics(window).deniedKeys()

        test("who is refused most comes first, and so does what; each with its count") {
            monitoring.deny("1.2.3.4", times = 3)
            monitoring.deny("5.6.7.8", endpoint = "POST /api", times = 5)
            monitoring.deny("alice", scope = "user")
            monitoring.metrics(1.hours).run {
                topKeys.map { listOf(it.rule, it.scope, it.key, it.denied) } shouldContainExactly
                    listOf(
                        listOf("/api", "ip", "5.6.7.8", 5L),
                        listOf("/api", "ip", "1.2.3.4", 3L),
                        listOf("/api", "user", "alice", 1L),
                    )
                topEndpoints.map { it.endpoint to it.denied } shouldContainExactly listOf("POST /api" to 5L, "GET /api" to 4L)
            }
        }

        test("a flood of a million keys leaves the heavy ones, never above what they had, and nobody else") {
            val heavy = mapOf("first" to 40_000, "second" to 30_000, "third" to 20_000)
            val order = heavy.flatMap { (key, times) -> List(times) { key } }.shuffled(Random(1)).iterator()
            repeat(1_000_000) {
                monitoring.deny("once $it", endpoint = "GET /$it")
                if (it % 11 == 0 && order.hasNext()) monitoring.deny(order.next(), endpoint = "GET /login")
                // It lasts a quarter of an hour.
                if (it % 66_000 == 65_999) clock += 1.minutes
            }
            val heavyCalls = heavy.values.sum()
            for (window in listOf(1.hours, 2.hours)) {
                // Half a minute into the next hour its list is there.
                if (window == 2.hours) clock.set("2026-11-21T13:02:30Z")
                monitoring.metrics(window).run {
                    withClue("$window: $topKeys") {
                        deniedKeys().keys.toList() shouldBe heavy.keys.toList()
                        for ((key, times) in heavy) deniedKeys().getValue(key) shouldBeInRange (times * 8L / 10)..times.toLong()
                        topEndpoints.first().run {
                            endpoint shouldBe "GET /login"
                            denied shouldBeInRange (heavyCalls * 8L / 10)..heavyCalls.toLong()
                        }
                    }
                }
            }
        }

        test("what is kept of a minute and of an hour is bounded, and of a flood of others nothing is") {
            val list = TopList()
            repeat(20) { round ->
                repeat(50_000) { list.add(TopList.Hashed("$round $it")) }
                list.open().shouldBeEmpty()
                list.closeMinute(round.toLong()).shouldBeEmpty()
            }
            list.closeHour(1).shouldBeEmpty()
            repeat(2) { repeat(700) { list.add(TopList.Hashed("$it")) } }
            list.closeMinute(30).size shouldBe 50
            list.closeHour(2).size shouldBe 100
            list.closed(0L..40L, 0L..40L).sumOf { it.size } shouldBe 150
            list.forget(30, 2)
            list.closed(0L..40L, 0L..40L).sumOf { it.size } shouldBe 150
            list.forget(31, 3)
            list.closed(0L..40L, 0L..40L).shouldBeEmpty()
        }

        test("keys, scopes and rules of any text are told apart, and told as they are (better-auth#7300)") {
            val pieces =
                listOf("", "a", ":", ".", "1.1.", "3.", "\u0000", "\n", "|", "é", "\ud83d", "\udd11", "🔑", "<img src=x onerror=alert(1)>")
            val random = Random(1)

            fun word() = List(random.nextInt(4)) { pieces.random(random) }.joinToString("")
            val owners = HashMap<String, List<String>>()
            repeat(100_000) {
                val id = listOf(word(), word(), word())
                val text = DeniedId(id[0], id[1], id[2]).text()
                withClue(text) {
                    owners.getOrPut(text) { id } shouldBe id
                    DeniedId.parse(text)?.run { listOf(rule, scope, key) } shouldBe id
                }
            }
            monitoring.deny("c", rule = "a:b", scope = "")
            monitoring.deny("b:c", rule = "a", scope = "")
            monitoring.deny("\u0000\r\n\u001b[31m", times = 5)
            monitoring.metrics(1.hours).topKeys.map { it.rule to it.key } shouldContainExactly
                listOf("/api" to "\u0000\r\n\u001b[31m", "a" to "b:c", "a:b" to "c")
        }

        test("what others have written and is no denial is none") {
            for (text in listOf(
                "",
                "1",
                "1.",
                "1.1",
                "1.1.a",
                "-1.2.abc",
                "99999999999.1.a",
                "999999999.999999999.a",
                "x.y.z",
                "1 .1.ab",
            )) {
                withClue(text) { DeniedId.parse(text) shouldBe null }
            }
            DeniedId.parse("0.0.")?.run { listOf(rule, scope, key) } shouldBe listOf("", "", "")
        }

        test("a key of a megabyte is cut where it may be, and told from its neighbours") {
            val mega = "k".repeat(1_000_000)
            monitoring.deny(mega, times = 3)
            monitoring.deny(mega + "k", times = 2)
            monitoring.deny(mega.dropLast(1) + "x", endpoint = mega)
            monitoring.metrics(1.hours).run {
                topKeys.map { it.denied } shouldBe listOf(3L, 2L, 1L)
                topKeys.forEach { it.key.length shouldBeInRange 100..128 }
                topEndpoints.forEach { it.endpoint.length shouldBeLessThan 129 }
            }
            remembered("x".repeat(128)) shouldBe "x".repeat(128)
            for (length in 90..110) {
                val cut = remembered("x".repeat(length) + "🔑".repeat(100))
                val (kept, rest) = cut.split('…')
                withClue(cut) {
                    kept.length shouldBeInRange 99..100
                    kept.last().isHighSurrogate() shouldBe false
                    rest.length shouldBeGreaterThan 8
                }
            }
        }

        test("texts of one hash code are spread, and are still themselves") {
            val texts = (0 until 4_096).map { number -> (0 until 12).joinToString("") { if (number shr it and 1 == 0) "Aa" else "BB" } }
            texts.map { it.hashCode() }.toSet().size shouldBe 1
            // Of 4,096 in 2^32, one pair or two may meet.
            texts.map { TopList.Hashed(it).hashCode() }.toSet().size shouldBeGreaterThan 4_090
            (TopList.Hashed("Aa") == TopList.Hashed("BB")) shouldBe false
            TopList.Hashed("Aa") shouldBe TopList.Hashed("Aa")
        }

        test("a window of up to an hour tells of its own minutes only") {
            monitoring.deny("early", times = 9)
            clock += 30.minutes
            monitoring.deny("late", times = 2)
            clock += 20.minutes
            monitoring.deny("now")
            keys(1.hours) shouldBe mapOf("early" to 9L, "late" to 2L, "now" to 1L)
            keys(49.minutes) shouldBe mapOf("late" to 2L, "now" to 1L)
            keys(1.minutes) shouldBe mapOf("now" to 1L)
            // Into the next hour and beyond.
            clock.set("2026-11-21T13:00:00Z")
            keys(1.hours) shouldBe mapOf("early" to 9L, "late" to 2L, "now" to 1L)
            clock += 1.minutes
            keys(1.hours) shouldBe mapOf("late" to 2L, "now" to 1L)
        }

        test("a longer window tells of whole hours, of none that it does not have and of each once") {
            clock.set("2026-11-21T09:59:59Z")
            monitoring.deny("nine")
            clock.set("2026-11-21T10:10:00Z")
            monitoring.deny("ten")
            clock.set("2026-11-21T11:59:59Z")
            monitoring.deny("eleven")
            for (now in listOf("2026-11-21T12:00:00Z", "2026-11-21T12:01:59Z", "2026-11-21T12:02:00Z", "2026-11-21T12:59:59Z")) {
                clock.set(now)
                withClue(now) {
                    keys(24.hours) shouldBe mapOf("nine" to 1L, "ten" to 1L, "eleven" to 1L)
                    val whole = if (now == "2026-11-21T12:00:00Z") mapOf("ten" to 1L, "eleven" to 1L) else mapOf("eleven" to 1L)
                    keys(2.hours) shouldBe whole
                }
            }
        }

        test("who has stopped fades: with its minute, with its hour, and for good with the retention") {
            monitoring.deny("old", times = 1_000)
            clock += 6.days
            monitoring.deny("new")
            keys(1.hours) shouldBe mapOf("new" to 1L)
            keys(7.days) shouldBe mapOf("old" to 1_000L, "new" to 1L)
            clock += 1.days + 1.hours
            keys(7.days) shouldBe mapOf("new" to 1L)
        }

        test("at most twenty are told") {
            repeat(60) { monitoring.deny("key $it", times = it + 1) }
            keys().toList() shouldBe List(20) { "key ${59 - it}" to 60L - it }
        }

        test("eight threads deny exactly while minutes pass") {
            List(8) { number ->
                thread {
                    repeat(20_000) {
                        monitoring.deny("key ${it % 5}", endpoint = "GET /$number")
                        if (number == 0 && it % 1_000 == 0) clock += 30.seconds
                    }
                }
            }.forEach { it.join() }
            keys(1.hours) shouldBe (0..4).associate { "key $it" to 32_000L }
            monitoring.metrics(1.hours).topEndpoints.associate { it.endpoint to it.denied } shouldBe
                (0..7).associate { "GET /$it" to 20_000L }
        }

        test("every window's list is within what was denied in it") {
            repeat(200) {
                monitoring.deny("key")
                monitoring.call("/api", Outcome.DENIED)
                clock += 7.minutes
            }
            monitoring.deny("key")
            monitoring.call("/api", Outcome.DENIED)
            for (minutes in 1..23 * 60 step 13) {
                monitoring.metrics(minutes.minutes).run {
                    withClue(window) { deniedKeys().getValue("key") shouldBeLessThanOrEqualTo totals.denied }
                }
            }
        }
    })

private fun RateLimitMetrics.deniedKeys(): Map<String, Long> = topKeys.associate { it.key to it.denied }

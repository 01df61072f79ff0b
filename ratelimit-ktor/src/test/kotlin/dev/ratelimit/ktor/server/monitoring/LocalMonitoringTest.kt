package dev.ratelimit.ktor.server.monitoring

import com.sun.management.ThreadMXBean
import dev.ratelimit.ktor.server.RateLimitMetrics
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.longs.shouldBeLessThan
import io.kotest.matchers.maps.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeSameInstanceAs
import kotlinx.coroutines.runBlocking
import java.lang.management.ManagementFactory
import java.time.Instant
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.concurrent.thread
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/** What one instance remembers of its decisions, and for how long. */
class LocalMonitoringTest :
    FunSpec({
        val clock = TestClock()
        lateinit var monitoring: LocalMonitoring

        fun open(retention: Duration = 7.days) {
            monitoring = LocalMonitoring(clock, retention)
        }

        beforeTest {
            clock.set("2026-11-21T12:00:00Z")
            open()
        }

        suspend fun metrics(window: Duration) = monitoring.metrics(window)

        test("each outcome is counted by rule and of all calls, with what decisions took") {
            Outcome.entries.forEachIndexed { i, outcome ->
                repeat(i + 1) { monitoring.call("/api", outcome, nanos = 10L + i) }
            }
            monitoring.call("/auth", Outcome.DENIED, nanos = 1)
            for (counts in listOf(monitoring.counts(), metrics(1.hours).run { rules + ("" to totals) })) {
                counts.keys shouldBe setOf("", "/api", "/auth")
                counts.getValue("/api").run {
                    listOf(allowed, denied, shadowDenied, bypassed, blocked, failedOpen, failedClosed) shouldBe (1L..7L).toList()
                    requests shouldBe 28
                    denialRate shouldBe 2.0 / 28
                    decisionTime shouldBe (1L..7L).sumOf { it * (9 + it) }.nanoseconds
                    longestDecision shouldBe 16.nanoseconds
                }
                counts.getValue("/auth").run {
                    requests shouldBe 1
                    denied shouldBe 1
                    longestDecision shouldBe 1.nanoseconds
                }
                counts.getValue("").run {
                    requests shouldBe 29
                    denied shouldBe 3
                }
            }
        }

        test("endpoints are counted apart from rules and from all calls, and kept as long as rules are") {
            monitoring.endpoint("GET /api") shouldBeSameInstanceAs monitoring.endpoint("GET /api")
            monitoring.call("GET /api")
            repeat(3) { monitoring.endpoint("GET /api").add(Outcome.DENIED, 7) }
            monitoring.counts().mapValues { it.value.requests } shouldBe mapOf("" to 1L, "GET /api" to 1L)

            suspend fun told(window: Duration) =
                monitoring.metrics(window, byEndpoint = true).run {
                    listOf(totals, rules["GET /api"], endpoints["GET /api"]).map { it?.requests }
                }
            told(5.minutes) shouldBe listOf(1L, 1L, 3L)
            metrics(5.minutes).endpoints.shouldBeEmpty()
            monitoring.metrics(5.minutes, byEndpoint = true).endpoints.getValue("GET /api").run {
                denied shouldBe 3
                longestDecision shouldBe 7.nanoseconds
            }
            clock += 10.minutes
            // An endpoint that has had calls is there with zeros.
            told(5.minutes) shouldBe listOf(0L, null, 0L)
            clock += 12.hours
            told(13.hours) shouldBe listOf(1L, 1L, 3L)
            told(7.hours) shouldBe listOf(0L, null, 0L)
            clock += 8.days
            told(7.days) shouldBe listOf(0L, null, 0L)
        }

        test("a counter is always the same; before the first call there is nothing") {
            monitoring.counter("/api") shouldBeSameInstanceAs monitoring.counter("/api")
            monitoring.counts().getValue("").requests shouldBe 0
            metrics(1.hours).run {
                totals.requests shouldBe 0
                totals.denialRate shouldBe 0.0
                rules.shouldBeEmpty()
                minutes.shouldBeEmpty()
                isShared shouldBe false
            }
        }

        test("a call counts for the minute in which it comes, to the millisecond; minutes without one are left out") {
            clock.set("2026-11-21T11:59:59.999Z")
            open()
            monitoring.call("/api")
            clock.set("2026-11-21T12:00:00Z")
            repeat(2) { monitoring.call("/api") }
            clock.set("2026-11-21T12:00:59.999Z")
            monitoring.call("/api")
            clock.set("2026-11-21T13:00:00Z")
            monitoring.call("/api", nanos = 7)
            metrics(6.hours).minuteCounts() shouldBe
                mapOf("2026-11-21T11:59:00Z" to 1L, "2026-11-21T12:00:00Z" to 3L, "2026-11-21T13:00:00Z" to 1L)
            metrics(6.hours).minutes.map { it.counts.longestDecision } shouldBe listOf(0, 0, 7).map { it.nanoseconds }
        }

        test("the longest decision of a minute is not that of another") {
            monitoring.call("/api", nanos = 500)
            clock += 1.minutes
            monitoring.call("/api", nanos = 20)
            clock += 10.minutes
            monitoring.call("/api", nanos = 30)
            metrics(1.hours).minutes.map { it.counts.longestDecision.inWholeNanoseconds } shouldBe listOf(500L, 20L, 30L)
            metrics(10.minutes).rules.getValue("/api").longestDecision shouldBe 30.nanoseconds
            metrics(1.hours).rules.getValue("/api").longestDecision shouldBe 500.nanoseconds
            monitoring.counts().getValue("/api").longestDecision shouldBe 500.nanoseconds
        }

        test("a window begins with the whole minute in which it begins") {
            clock.set("2026-11-21T11:29:59Z")
            monitoring.call("/api")
            clock += 1.seconds
            monitoring.call("/api")
            clock.set("2026-11-21T12:00:30Z")
            monitoring.call("/api")
            metrics(30.minutes).run {
                window shouldBe 30.minutes
                from shouldBe Instant.parse("2026-11-21T11:30:00Z")
                to shouldBe Instant.parse("2026-11-21T12:00:30Z")
                totals.requests shouldBe 2
                rules.getValue("/api").requests shouldBe 2
                minutes.map { it.at } shouldBe listOf("2026-11-21T11:30:00Z", "2026-11-21T12:00:00Z").map(Instant::parse)
            }
            metrics(31.minutes).totals.requests shouldBe 3
            metrics(1.nanoseconds).totals.requests shouldBe 1
        }

        test("for every window up to a day, rules and totals are about the same calls, and those of the window") {
            val calls = ArrayList<Instant>()
            repeat(26 * 60 / 7) {
                monitoring.call("/api")
                calls += clock.instant()
                clock += 7.minutes
            }
            for (minutes in 1..26 * 60 step 11) {
                val window = minutes.minutes
                val told = metrics(window)
                val start = clock.instant().minusSeconds(window.inWholeSeconds)
                withClue(window) {
                    told.totals.requests shouldBe calls.count { it >= told.from }.toLong()
                    told.rules["/api"]?.requests shouldBe told.totals.requests.takeIf { it > 0 }
                    told.minutes.sumOf { it.counts.requests } shouldBe told.totals.requests
                    told.from.epochSecond % (if (window <= 6.hours) 60 else 3_600) shouldBe 0
                    val early = java.time.Duration.between(told.from, start).toMinutes()
                    (early in 0 until (if (window <= 6.hours) 1 else 60)) shouldBe true
                }
            }
        }

        test("what is older than the retention is forgotten, and a longer window is as long as that") {
            open(retention = 2.hours)
            monitoring.call("/old")
            repeat(4 * 60) {
                clock += 1.minutes
                monitoring.call("/api")
            }
            metrics(1_000.days).run {
                window shouldBe 1_000.days
                from shouldBe clock.instant().minusSeconds(7_200)
                rules.keys shouldBe setOf("/api")
                totals.requests shouldBe 121
                rules.getValue("/api").requests shouldBe 121
                minutes.size shouldBe 121
            }
            metrics(Duration.INFINITE).totals.requests shouldBe 121
            monitoring.counts().getValue("/old").requests shouldBe 1
        }

        test("what is forgotten is gone, and does not come back with a clock that is put back") {
            open(retention = 2.hours)
            repeat(5) {
                monitoring.call("/api", Outcome.DENIED)
                monitoring.deny("key")
                clock += 30.minutes
            }
            clock += 2.hours
            monitoring.call("/api")
            monitoring.deny("other")
            metrics(1.hours).totals.requests shouldBe 1
            clock += (-4).hours
            metrics(2.hours).run {
                totals.requests shouldBe 0
                rules.shouldBeEmpty()
                topKeys.shouldBeEmpty()
            }
        }

        test("a week's window has the week, and no more") {
            monitoring.call("/old")
            clock += 1.days
            monitoring.call("/api")
            clock += 7.days
            metrics(7.days).run {
                rules.keys shouldBe setOf("/api")
                totals.requests shouldBe 1
                minuteCounts() shouldBe mapOf("2026-11-22T12:00:00Z" to 1L)
            }
            metrics(7.days - 1.hours).totals.requests shouldBe 0
        }

        test("a clock that is put back or forward loses no call") {
            monitoring.call("/api")
            clock += (-3).hours
            monitoring.call("/api")
            clock += 30.seconds
            monitoring.call("/api")
            clock += 3.hours
            monitoring.call("/api")
            metrics(6.hours).run {
                totals.requests shouldBe 4
                rules.getValue("/api").requests shouldBe 4
                minuteCounts() shouldBe mapOf("2026-11-21T09:00:00Z" to 2L, "2026-11-21T12:00:00Z" to 2L)
            }
            clock += 400.days
            monitoring.call("/api")
            clock += (-400).days
            monitoring.call("/api")
            metrics(1.hours).totals.requests shouldBe 1
            monitoring.counts().getValue("/api").requests shouldBe 6
        }

        test("eight threads are counted exactly while minutes pass and others look") {
            val isOver = AtomicBoolean()
            val looking =
                thread {
                    while (!isOver.get()) {
                        monitoring.counts()
                        clock += 10.milliseconds
                    }
                }
            val reading = thread { while (!isOver.get()) runBlocking { monitoring.metrics(1.hours) } }
            val calling =
                List(8) { number ->
                    thread {
                        repeat(CALLS) {
                            monitoring.call("rule ${number % 2}", Outcome.entries[it % Outcome.entries.size], nanos = 1L + it % 1_000)
                        }
                    }
                }
            calling.forEach { it.join() }
            isOver.set(true)
            looking.join()
            reading.join()

            clock += 1.hours
            val told = metrics(7.days)
            for (counts in listOf(monitoring.counts(), told.rules + ("" to told.totals))) {
                for ((rule, threads) in mapOf("rule 0" to 4L, "rule 1" to 4L, "" to 8L)) {
                    val calls = threads * CALLS / Outcome.entries.size
                    withClue("'$rule'") {
                        counts.getValue(rule).run {
                            listOf(allowed, denied, shadowDenied, bypassed, blocked, failedOpen, failedClosed) shouldBe List(7) { calls }
                            decisionTime shouldBe (threads * (1..CALLS).sumOf { 1L + (it - 1) % 1_000 }).nanoseconds
                            longestDecision shouldBe 1_000.nanoseconds
                        }
                    }
                }
            }
            told.minutes.sumOf { it.counts.requests } shouldBe 8L * CALLS
        }

        test("counting allocates nothing") {
            val counter = monitoring.counter("/api")
            val threads = ManagementFactory.getThreadMXBean() as ThreadMXBean

            fun count() = repeat(1_000_000) { counter.add(Outcome.ALLOWED, it.toLong()) }
            count()
            val before = threads.currentThreadAllocatedBytes
            count()
            threads.currentThreadAllocatedBytes - before shouldBeLessThan 100_000
        }

        test("a window that is not positive is refused") {
            for (window in listOf(Duration.ZERO, (-1).seconds)) {
                shouldThrow<IllegalArgumentException> { metrics(window) }.message shouldContain "$window"
            }
        }

        test("a monitoring that is off counts nothing and tells nothing") {
            Monitoring.None.use { none ->
                none.call("/api", Outcome.DENIED)
                none.endpoint("GET /api").add(Outcome.DENIED, 1)
                none.deny("1.2.3.4")
                none.counts().mapValues { it.value.requests } shouldBe mapOf("" to 0L)
                for (window in listOf(1.hours, Duration.INFINITE)) {
                    none.metrics(window).run {
                        this.window shouldBe window
                        isShared shouldBe false
                        totals.requests shouldBe 0
                        endpoints.shouldBeEmpty()
                        topKeys.shouldBeEmpty()
                    }
                }
            }
        }
    })

/** A multiple of the number of outcomes. */
private const val CALLS = 210_000

private fun RateLimitMetrics.minuteCounts(): Map<String, Long> = minutes.associate { "${it.at}" to it.counts.requests }

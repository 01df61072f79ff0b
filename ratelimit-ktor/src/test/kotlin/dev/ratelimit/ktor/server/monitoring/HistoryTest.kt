package dev.ratelimit.ktor.server.monitoring

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeAtMost
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes

/** Memory for what was counted is bounded, however many rules there are. */
class HistoryTest :
    FunSpec({
        val one = Figures().apply { add(Outcome.ALLOWED.ordinal, 1) }

        fun Series.cells(): List<Pair<Long, String>> = buildList {
            forEach(0L..10_000L) { slot, subject, _ -> add(slot to (subject as Subject.OfRule).name) }
        }.sortedWith(order)

        test("beyond its bound a series forgets the oldest slots, whole, and tells since when it is complete") {
            val series = Series(most = 10)
            for (slot in 1L..3L) repeat(4) { series.add(slot, Subject.OfRule("rule $it"), one) }
            series.cells() shouldBe (2L..3L).flatMap { slot -> List(4) { slot to "rule $it" } }
            series.since shouldBe 2
            repeat(4) { series.add(3, Subject.OfRule("rule $it"), one) }
            series.since shouldBe 2
            repeat(30) { series.add(4, Subject.OfRule("rule $it"), one) }
            series.cells().map { it.first }.toSet() shouldBe setOf(4L)
            series.since shouldBe 4
            series.forget(5)
            series.cells().size shouldBe 0
            series.since shouldBe 4
        }

        test("500 rules of which each is used in every minute of two days stay within 160,000 cells, and windows within what is known") {
            val clock = TestClock()
            val history = History(7.days)
            var minute = clock.minute()
            val rules = List(500) { "rule $it" }
            repeat(2 * 24 * 60) {
                rules.forEach { history.add(minute, Subject.OfRule(it), one) }
                history.add(minute, Subject.All, one)
                minute++
                clock += 1.minutes
            }
            minute - history.since(false).minute shouldBeGreaterThan 90

            fun rulesOf(span: Span): Map<String, Long> =
                Findings(span)
                    .also { history.tell(span, false, it) }
                    .metrics(isShared = false)
                    .rules
                    .mapValues { it.value.requests }

            val since = history.since(false)

            fun spanOf(window: Duration) = Span.of(window, 7.days, clock, since.minute, since.hour)
            for (window in listOf(5.minutes, 90.minutes, 3.hours, 6.hours, 24.hours, 40.hours)) {
                val span = spanOf(window)
                // Until now, as the last minute has had no call yet.
                rulesOf(span) shouldBe rules.associateWith { span.until - span.from }
                (span.until - span.from).toInt() shouldBeAtMost window.inWholeMinutes.toInt() + 59
            }
        }

        test("endpoints push one another out, and no rules; a window in which they are wanted begins where they are known") {
            val clock = TestClock()
            val history = History(7.days)
            val rule = Subject.OfRule("rule")
            val endpoints = List(20_000) { Subject.OfEndpoint("GET /$it") }
            repeat(5) {
                history.add(clock.minute(), rule, one)
                endpoints.forEach { history.add(clock.minute(), it, one) }
                clock += 1.hours
            }
            history.since(false).run { listOf(minute, hour) } shouldBe listOf(0L, 0L)
            val since = history.since(true)
            for ((byEndpoint, known) in listOf(false to 5L, true to 2L)) {
                val span = if (byEndpoint) Span.of(1.days, 7.days, clock, since.minute, since.hour) else Span.of(1.days, 7.days, clock)
                Findings(span).also { history.tell(span, byEndpoint, it) }.metrics(isShared = false).run {
                    rules.getValue("rule").requests shouldBe known
                    this.endpoints.size shouldBe if (byEndpoint) endpoints.size else 0
                    this.endpoints.values.all { it.requests == known } shouldBe true
                }
            }
        }

        test("more rules than there is place for are known for fewer hours, and a window begins where they are known") {
            val clock = TestClock()
            val history = History(7.days)
            val rules = List(30_000) { "rule $it" }
            repeat(5) {
                rules.forEach { history.add(clock.minute(), Subject.OfRule(it), one) }
                clock += 1.hours
            }
            val since = history.since(false)
            val span = Span.of(1.days, 7.days, clock, since.minute, since.hour)
            hourOf(span.from) shouldBe since.hour
            Findings(span).also { history.tell(span, false, it) }.metrics(isShared = false).rules.run {
                size shouldBe rules.size
                values.map { it.requests }.toSet() shouldBe setOf(3L)
            }
        }
    })

private val order = compareBy<Pair<Long, String>> { it.first }.thenBy { it.second }

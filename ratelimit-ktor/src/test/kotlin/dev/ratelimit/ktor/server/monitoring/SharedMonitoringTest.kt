package dev.ratelimit.ktor.server.monitoring

import dev.ratelimit.ktor.server.RateLimitMetrics
import dev.ratelimit.ktor.server.monitoring.FakeTallies.Fate
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.maps.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withTimeout
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/** What instances know of each other through a store that counts for all of them. */
class SharedMonitoringTest :
    FunSpec({
        val clock = TestClock()
        val scope = CoroutineScope(Job() + Dispatchers.Default)
        lateinit var store: FakeTallies
        afterSpec { scope.cancel() }

        beforeTest {
            clock.set("2026-11-21T12:00:00Z")
            store = FakeTallies()
        }

        /** Tells the store when it is asked to. */
        fun instance(retention: Duration = 7.days): SharedMonitoring =
            monitoring(store, retention, scope, clock, interval = 1.days).shouldBeInstanceOf<SharedMonitoring>()

        test("each tells what all have told the store, and what it has not told yet itself") {
            val (one, other) = List(2) { instance() }
            repeat(3) { one.call("/api", nanos = 10) }
            one.flush()
            repeat(2) { one.call("/api", Outcome.DENIED, nanos = 30) }
            repeat(5) { other.call("/api", nanos = 20) }
            other.call("/auth", Outcome.FAILED_OPEN)
            one.metrics(1.hours).run {
                isShared shouldBe true
                totals.requests shouldBe 5
                rules.getValue("/api").requests shouldBe 5
            }
            other.metrics(1.hours).run {
                totals.allowed shouldBe 8
                totals.failedOpen shouldBe 1
                totals.longestDecision shouldBe 20.nanoseconds
                rules.mapValues { it.value.requests } shouldBe mapOf("/api" to 8L, "/auth" to 1L)
                rules.getValue("/api").decisionTime shouldBe 130.nanoseconds
            }
            one.flush()
            other.flush()
            for (instance in listOf(one, other)) {
                instance.metrics(1.hours).run {
                    totals.requests shouldBe 11
                    totals.longestDecision shouldBe 30.nanoseconds
                    rules.getValue("/api").run { listOf(allowed, denied) shouldBe listOf(8L, 2L) }
                    minutes.map { it.counts.requests } shouldBe listOf(11L)
                }
                instance.counts().getValue("").requests shouldBe if (instance === one) 5 else 6
            }
        }

        test("endpoints are told apart from rules, also from those of the same name, after minutes and after hours") {
            val (one, other) = List(2) { instance() }
            for (instance in listOf(one, other)) {
                instance.call("GET /api", nanos = 5)
                repeat(2) { instance.endpoint("GET /api").add(Outcome.DENIED, 20) }
                instance.endpoint("dGET").add(Outcome.ALLOWED, 30)
                instance.flush()
            }
            for (window in listOf(1.hours, 7.hours)) {
                for (instance in listOf(one, other, instance())) {
                    instance.metrics(window).endpoints.shouldBeEmpty()
                    instance.metrics(window, byEndpoint = true).run {
                        totals.requests shouldBe 2
                        rules.mapValues { it.value.requests } shouldBe mapOf("GET /api" to 2L)
                        endpoints.mapValues { it.value.requests } shouldBe mapOf("GET /api" to 4L, "dGET" to 2L)
                        endpoints.getValue("GET /api").run { listOf(allowed, denied) shouldBe listOf(0L, 4L) }
                        endpoints.getValue("GET /api").run { decisionTime to longestDecision } shouldBe (80.nanoseconds to 20.nanoseconds)
                    }
                }
            }
        }

        test("what a new instance finds in the store it tells, for the window that is asked for") {
            val old = instance()
            for (rule in listOf("at noon", "at ten", "at eleven")) {
                old.call(rule, Outcome.DENIED)
                old.deny(rule)
                old.flush()
                clock += if (rule == "at noon") 10.hours else 61.minutes
            }
            old.close()
            val new = instance()
            for ((window, known) in listOf(1.hours to 0, 62.minutes to 1, 3.hours to 2, 11.hours to 2, 13.hours to 3)) {
                new.metrics(window).run {
                    withClue(window) {
                        rules.size shouldBe known
                        totals.denied shouldBe known
                        minutes.size shouldBe known
                    }
                }
            }
            new.metrics(1.days).topKeys.map { it.key } shouldContainExactlyInAnyOrder listOf("at noon", "at ten", "at eleven")
            new.metrics(1.days).topEndpoints.map { it.endpoint to it.denied } shouldBe listOf("GET /api" to 3L)
        }

        test("what is denied most is that of all, the minute that it is of oneself only") {
            val (one, other) = List(2) { instance() }
            one.deny("both", times = 3)
            one.deny("of one", times = 2)
            other.deny("both", times = 4)
            one.flush()
            other.flush()
            one.metrics(5.minutes).keys() shouldBe mapOf("both" to 3L, "of one" to 2L)
            clock += 1.minutes
            one.flush()
            other.flush()
            one.deny("both")
            one.metrics(5.minutes).keys() shouldBe mapOf("both" to 8L, "of one" to 2L)
            other.metrics(5.minutes).keys() shouldBe mapOf("both" to 7L, "of one" to 2L)
            // Its hour is over, the list of it is there, and each is in one of the lists.
            for (minutes in 1..130) {
                clock += 1.minutes
                one.flush()
                if (minutes > 1) other.flush()
                withClue(minutes) { other.metrics(6.hours).keys() shouldBe mapOf("both" to 8L, "of one" to 2L) }
            }
        }

        test("an entry of which nobody knows whether it has arrived counts once, at once and later") {
            val (one, other) = List(2) { instance() }
            for (fate in listOf(Fate.UNCONFIRMED, Fate.LOST)) {
                repeat(3) { one.call("/api", nanos = 5) }
                store.fate = { fate }
                shouldThrow<Exception> { one.flush() }
                store.fate = { Fate.FINE }
                one.call("/api", nanos = 5)
                val before = if (fate == Fate.UNCONFIRMED) 0 else 4
                one.metrics(1.hours).totals.requests shouldBe before + 4
                one.metrics(1.hours).rules.getValue("/api").decisionTime shouldBe 5.nanoseconds * (before + 4)
                repeat(2) { one.flush() }
                for (instance in listOf(one, other)) {
                    instance.metrics(1.hours).run {
                        totals.requests shouldBe before + 4
                        rules.getValue("/api").requests shouldBe before + 4
                        rules.getValue("/api").decisionTime shouldBe 5.nanoseconds * (before + 4)
                    }
                }
            }
        }

        test("what is told to the store while it is asked is neither left out nor told twice") {
            val one = instance()
            repeat(3) { one.call("/api") }
            store.meanwhile = {
                one.call("/api")
                // As far as it comes at once.
                scope.launch(Dispatchers.Unconfined) { one.flush() }
            }
            repeat(3) { one.metrics(1.hours).totals.requests shouldBe 3L + it }
            store.meanwhile = {}
            one.metrics(1.hours).totals.requests shouldBe 6
        }

        test("while the store is away an instance tells of itself, and what it has counted arrives later") {
            val (one, other) = List(2) { instance() }
            other.call("/api")
            other.deny("theirs")
            clock += 1.minutes
            other.flush()
            store.fate = { Fate.LOST }
            repeat(10) {
                repeat(3) { one.call("/api") }
                one.deny("mine")
                clock += 1.minutes
                shouldThrow<Exception> { one.flush() }
                one.metrics(1.hours).run {
                    isShared shouldBe false
                    totals.requests shouldBe 3L * (it + 1)
                    keys() shouldBe mapOf("mine" to it + 1L)
                }
            }
            store.fate = { Fate.FINE }
            one.metrics(1.hours).run {
                isShared shouldBe true
                totals.requests shouldBe 31
                keys() shouldBe mapOf("mine" to 10L, "theirs" to 1L)
            }
            one.flush()
            other.metrics(1.hours).run {
                totals.requests shouldBe 31
                rules.getValue("/api").requests shouldBe 31
                minutes.size shouldBe 11
                keys() shouldBe mapOf("mine" to 10L, "theirs" to 1L)
            }
        }

        test("one group that the store cannot take holds up no other") {
            val (one, other) = List(2) { instance() }
            store.fate = { if ("totals" in it) Fate.LOST else Fate.FINE }
            one.call("/api")
            repeat(3) { shouldThrow<Exception> { one.flush() } }
            store.names.map { it.split('/')[1] }.toSet() shouldBe setOf("rules-of-minute", "rules-of-hour")
            store.fate = { Fate.FINE }
            one.flush()
            other.metrics(1.hours).run { listOf(totals.requests, rules.getValue("/api").requests) shouldBe listOf(1L, 1L) }
        }

        test("whatever fails whenever, in the end all is told, and told once") {
            for (seed in 1..20) {
                val random = Random(seed)
                clock.set("2026-11-21T12:00:00Z")
                store = FakeTallies()
                val instances = List(3) { instance() }
                var calls = 0L
                var denials = 0L
                repeat(200) {
                    val instance = instances.random(random)
                    store.fate = { Fate.entries.filter { it != Fate.SILENT }.random(random) }
                    when (random.nextInt(5)) {
                        0 -> clock += random.nextInt(100).seconds
                        1 -> runCatching { instance.flush() }
                        2 -> instance.metrics(6.hours)
                        3 -> repeat(3) { instance.call("rule ${calls % 7}").also { calls++ } }
                        else -> instance.deny("key ${denials++ % 5}")
                    }
                    if (random.nextInt(10) == 0) {
                        store.fate = { Fate.FINE }
                        // One's own is always there, and nothing is there twice.
                        val told = instance.metrics(6.hours)
                        (told.totals.requests <= calls) shouldBe true
                        (told.totals.requests >= instance.counts().getValue("").requests) shouldBe true
                    }
                }
                store.fate = { Fate.FINE }
                clock += 1.minutes
                instances.forEach { it.flush() }
                for (instance in instances) {
                    instance.metrics(6.hours).run {
                        withClue("seed $seed") {
                            totals.requests shouldBe calls
                            rules.values.sumOf { it.requests } shouldBe calls
                            minutes.sumOf { it.counts.requests } shouldBe calls
                            topKeys.sumOf { it.denied } shouldBe denials
                            topEndpoints.sumOf { it.denied } shouldBe denials
                        }
                    }
                }
            }
        }

        test("the store is told every few seconds, and an outage ends nothing") {
            runTest {
                val one = monitoring(store, 7.days, backgroundScope, clock, interval = 5.seconds)
                one.call("/api")
                advanceTimeBy(4_999.milliseconds)
                store.names.shouldBeEmpty()
                advanceTimeBy(2.milliseconds)
                store.numbers("monitoring/rules-of-hour/2026-11-21T12") shouldBe mapOf("a/api" to 1L)
                store.fate = { Fate.LOST }
                one.call("/api")
                advanceTimeBy(1.hours)
                store.fate = { Fate.SILENT }
                advanceTimeBy(1.hours)
                store.fate = { error("a store that throws") }
                advanceTimeBy(1.hours)
                store.fate = { Fate.FINE }
                advanceTimeBy(9.seconds)
                store.numbers("monitoring/rules-of-hour/2026-11-21T12") shouldBe mapOf("a/api" to 2L)
                store.numbers("monitoring/rules-of-minute/2026-11-21T12:00") shouldBe mapOf("a/api" to 2L)
                store.numbers("monitoring/totals/2026-11-21T12") shouldBe mapOf("00a" to 2L)
                store.asked = 0
                advanceTimeBy(1.hours)
                // Nothing to tell.
                store.asked shouldBe 0
            }
        }

        test("a store that never answers holds up neither metrics nor the end") {
            runTest {
                val one = monitoring(store, 7.days, backgroundScope, clock, interval = 5.seconds)
                one.call("/api")
                store.fate = { Fate.SILENT }
                one.metrics(1.hours).run {
                    isShared shouldBe false
                    totals.requests shouldBe 1
                }
                one.close()
                one.close()
            }
        }

        test("closing tells the store what is left, also of the minute and the hour that are not over") {
            val one = instance()
            one.call("/api", Outcome.DENIED)
            one.deny("key")
            one.close()
            store.numbers("monitoring/rules-of-hour/2026-11-21T12") shouldBe mapOf("d/api" to 1L)
            val ofKey = mapOf("k4.2./apiipkey" to 1L, "eGET /api" to 1L)
            store.numbers("monitoring/denied-in-minute/2026-11-21T12:00") shouldBe ofKey
            store.numbers("monitoring/denied-in-hour/2026-11-21T12") shouldBe ofKey
            one.close()
            val asked = store.asked
            one.call("/api")
            one.close()
            store.asked shouldBe asked
            // Until the server has stopped there may be calls.
            one.counts().getValue("/api").requests shouldBe 2
        }

        test("what others have put into the groups harms nobody") {
            val one = instance()
            one.call("/api")
            val garbage = listOf("", "a", "zz", "x/api", "99a", "-1a", "5z", "é", "k", "k1.", "e", "k9.9.x").associateWith { 1L }
            one.flush()
            for (name in store.names.toList()) store.write(name, garbage)
            for (kind in Group.Kind.entries) {
                store.write(Group(kind, if (kind.isByHour) hourOf(clock.minute()) else clock.minute()).name, garbage)
            }
            one.metrics(1.hours).run {
                isShared shouldBe true
                rules.getValue("/api").allowed shouldBe 1
                topKeys.shouldBeEmpty()
            }
        }

        test("in a long outage what is kept for the store is bounded; the hours are kept the longest") {
            val outbox = Outbox("me", 7.days, most = 1_000)
            val figures = Figures().apply { add(Outcome.ALLOWED.ordinal, 1) }
            var minute = clock.minute()
            repeat(400) {
                repeat(10) { rule -> outbox.add(minute, Subject.OfRule("rule $rule"), figures) }
                outbox.add(minute, Subject.All, figures)
                minute++
            }
            val groups = outbox.groups()
            groups.size shouldBeLessThan 100
            for (kind in listOf(Group.Kind.TOTALS, Group.Kind.RULES_BY_HOUR)) groups.count { it.kind == kind } shouldBe 7
            groups.filter { it.kind == Group.Kind.RULES_BY_MINUTE }.minOf { it.slot } shouldBeGreaterThan clock.minute() + 300
            val names = groups.map { group -> generateSequence { outbox.next(group)?.also { outbox.confirmed(group, it) } }.toList() }
            names.flatten().sumOf { it.sums.size + it.maxima.size } shouldBeLessThan 1_001
            outbox.groups().shouldBeEmpty()
        }

        test("a large group goes out in parts, and no number is in two of them") {
            val outbox = Outbox("me", 7.days)
            val group = Group(Group.Kind.RULES_BY_HOUR, hourOf(clock.minute()))
            val figures = Figures().apply { for (place in 0 until Figures.SIZE) add(place, 1L + place) }
            repeat(300) { outbox.add(clock.minute(), Subject.OfRule("rule $it"), figures) }
            val sent = generateSequence { outbox.next(group)?.also { outbox.confirmed(group, it) } }.toList()
            sent.forEach { it.sums.size + it.maxima.size shouldBeLessThan 501 }
            sent.map { it.number } shouldBe sent.indices.map { it + 1L }
            sent.flatMap { it.sums.keys + it.maxima.keys }.run { listOf(size, toSet().size) shouldBe List(2) { 300 * Figures.SIZE } }
        }

        test("who stops asking is not answered") {
            runTest {
                val one = monitoring(store, 7.days, backgroundScope, clock)
                store.fate = { Fate.SILENT }
                shouldThrow<TimeoutCancellationException> { withTimeout(1.seconds) { one.metrics(1.hours) } }
            }
        }

        test("a retention or an interval that cannot be meant is refused") {
            for (retention in listOf(Duration.ZERO, (-1).days, 59.seconds, 32.days, Duration.INFINITE)) {
                shouldThrow<IllegalArgumentException> { monitoring(store, retention, scope) }.message shouldContain "$retention"
            }
            shouldThrow<IllegalArgumentException> { monitoring(store, 1.days, scope, interval = Duration.ZERO) }
            shouldThrow<IllegalArgumentException> { instance().metrics(Duration.ZERO) }
        }
    })

private fun RateLimitMetrics.keys(): Map<String, Long> = topKeys.associate { it.key to it.denied }

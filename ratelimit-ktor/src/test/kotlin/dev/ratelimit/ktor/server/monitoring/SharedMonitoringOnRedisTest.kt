package dev.ratelimit.ktor.server.monitoring

import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.ktor.client.withRedis
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import io.lettuce.core.RedisClient
import io.lettuce.core.api.sync.RedisCommands
import io.lettuce.core.codec.StringCodec
import io.lettuce.core.output.StatusOutput
import io.lettuce.core.protocol.CommandArgs
import io.lettuce.core.protocol.CommandType
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/** Instances that share a real Redis. */
class SharedMonitoringOnRedisTest :
    FunSpec({
        val scope = CoroutineScope(Job() + Dispatchers.Default)
        afterSpec { scope.cancel() }

        fun store(
            url: String,
            deadline: Duration = 20.seconds,
        ) = RedisStore.builder().deadline(deadline).connect(url)

        fun instance(
            store: RedisStore,
            clock: TestClock,
            interval: Duration = 1.days,
        ) = monitoring(store, 7.days, scope, clock, interval).shouldBeInstanceOf<SharedMonitoring>()

        test("two instances tell the same: what both have counted") {
            val clock = TestClock()
            withRedis(tempdir()) { url ->
                List(2) { store(url) }.let { (first, second) ->
                    val one = instance(first, clock)
                    val other = instance(second, clock)
                    repeat(40) { one.call("/api", nanos = 1_000) }
                    repeat(2) { other.call("/api", Outcome.DENIED, nanos = 3_000_000_000) }
                    one.deny("1.2.3.4", times = 2)
                    other.deny("1.2.3.4", times = 5)
                    other.deny("\u0000|{}\n🔑", endpoint = "GET /é")
                    clock += 1.minutes
                    one.flush()
                    other.call("/auth", Outcome.FAILED_CLOSED)
                    other.flush()
                    for (instance in listOf(one, other)) {
                        for (window in listOf(5.minutes, 12.hours, 7.days)) {
                            instance.metrics(window).run {
                                isShared shouldBe true
                                totals.run { listOf(allowed, denied, failedClosed) shouldBe listOf(40L, 2L, 1L) }
                                totals.decisionTime shouldBe 6_000_040_000.nanoseconds
                                totals.longestDecision shouldBe 3.seconds
                                rules.mapValues { it.value.requests } shouldBe mapOf("/api" to 42L, "/auth" to 1L)
                                minutes.map { it.counts.requests } shouldBe listOf(42L, 1L)
                                topKeys.map { it.key to it.denied } shouldBe listOf("1.2.3.4" to 7L, "\u0000|{}\n🔑" to 1L)
                                topEndpoints.map { it.endpoint to it.denied } shouldBe listOf("GET /api" to 7L, "GET /é" to 1L)
                            }
                        }
                    }
                    one.close()
                    other.close()
                    first.close()
                    second.close()
                }
            }
        }

        test("all that is in Redis expires, and lies under the store's prefix") {
            val clock = TestClock()
            withRedis(tempdir()) { url ->
                store(url).use { store ->
                    val one = instance(store, clock)
                    one.call("/api")
                    one.deny("key")
                    one.close()
                    asking(url) { redis ->
                        val keys = redis.keys("*")
                        keys.map { it.removePrefix("ratelimit:{monitoring/").removeSuffix("}:tally") } shouldContainExactlyInAnyOrder
                            listOf(
                                "totals/2026-11-21T12",
                                "rules-of-minute/2026-11-21T12:00",
                                "rules-of-hour/2026-11-21T12",
                                "denied-in-minute/2026-11-21T12:00",
                                "denied-in-hour/2026-11-21T12",
                            )
                        val most = (7.days + 2.hours).inWholeMilliseconds
                        keys.forEach { redis.pttl(it) shouldBeInRange 1L..most }
                        keys.filter { "minute" in it }.forEach { redis.pttl(it) shouldBeInRange 1L..8.hours.inWholeMilliseconds }
                    }
                }
            }
        }

        test("while Redis answers nobody an instance tells of itself; when it does again, all is there once") {
            val clock = TestClock()
            withRedis(tempdir()) { url ->
                List(2) { store(url, deadline = 500.milliseconds) }.let { (first, second) ->
                    val one = instance(first, clock, interval = 50.milliseconds)
                    val other = instance(second, clock, interval = 50.milliseconds)
                    repeat(5) { one.call("/api") }
                    repeat(7) { other.call("/api") }
                    eventually(30.seconds) { one.metrics(1.hours).totals.requests shouldBe 12 }
                    asking(url) { redis ->
                        redis.client("PAUSE", "600000", "WRITE")
                        one.call("/api")
                        // It tells of itself, and goes on with that while it goes on to count.
                        eventually(30.seconds) { one.metrics(1.hours).run { isShared to totals.requests } shouldBe (false to 6L) }
                        repeat(100) { one.call("/api") }
                        clock += 1.minutes
                        repeat(3) { other.call("/auth") }
                        one.metrics(1.hours).run { isShared to totals.requests } shouldBe (false to 106L)
                        redis.client("UNPAUSE")
                    }
                    for (instance in listOf(one, other)) {
                        eventually(30.seconds) {
                            instance.metrics(1.hours).run {
                                isShared shouldBe true
                                totals.requests shouldBe 116
                                rules.mapValues { it.value.requests } shouldBe mapOf("/api" to 113L, "/auth" to 3L)
                            }
                        }
                    }
                    one.close()
                    other.close()
                    first.close()
                    second.close()
                }
            }
        }

        test("who comes when Redis has gone counts by itself, and ends in time") {
            val clock = TestClock()
            lateinit var store: RedisStore
            lateinit var one: SharedMonitoring
            withRedis(tempdir()) { url ->
                store = store(url, deadline = 500.milliseconds)
                one = instance(store, clock)
                one.call("/api")
                one.flush()
            }
            one.call("/api", Outcome.FAILED_OPEN)
            one.metrics(1.hours).run {
                isShared shouldBe false
                totals.run { listOf(allowed, failedOpen) shouldBe listOf(1L, 1L) }
            }
            one.close()
            store.close()
        }

        test("500 rules in every minute of an hour are told within the time that there is") {
            val clock = TestClock()
            withRedis(tempdir()) { url ->
                store(url).use { store ->
                    val one = instance(store, clock)
                    repeat(60) {
                        repeat(500) { rule -> one.call("rule $rule", Outcome.entries[it % 7], nanos = 1L + rule) }
                        one.flush()
                        clock += 1.minutes
                    }
                    val other = instance(store, clock)
                    other.metrics(1.hours).run {
                        isShared shouldBe true
                        totals.requests shouldBe 30_000
                        rules.size shouldBe 500
                        rules.values.map { it.requests }.toSet() shouldBe setOf(60L)
                    }
                    other.metrics(7.days).isShared shouldBe true
                    other.close()
                    one.close()
                }
            }
        }
    })

private suspend fun asking(
    url: String,
    questions: suspend (RedisCommands<String, String>) -> Unit,
) = RedisClient.create(url).use { client -> client.connect().use { questions(it.sync()) } }

/** `CLIENT …` */
private fun RedisCommands<String, String>.client(vararg words: String): String {
    val arguments = CommandArgs(StringCodec.UTF8)
    words.forEach { arguments.add(it) }
    return dispatch(CommandType.CLIENT, StatusOutput(StringCodec.UTF8), arguments)
}

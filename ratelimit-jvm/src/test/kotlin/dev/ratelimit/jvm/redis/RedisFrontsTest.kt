package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimitStores
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.RateLimiters
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.perHour
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.ask
import dev.ratelimit.jvm.redis.rig.awaitThat
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.RateLimitStore
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.doubles.shouldBeBetween
import io.kotest.matchers.longs.shouldBeAtLeast
import io.kotest.matchers.longs.shouldBeAtMost
import io.kotest.matchers.longs.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldMatch
import io.kotest.matchers.types.shouldBeInstanceOf
import io.lettuce.core.RedisClient
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import java.time.Duration
import java.util.concurrent.atomic.AtomicLong
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** What stands before Redis, on a real server: lines, leases, denials, and what a human finds there. */
internal class RedisFrontsTest :
    FunSpec({
        val server = RedisServer()
        val clients = List(2) { RedisClient.create(server.uri) }

        afterSpec {
            clients.forEach { it.shutdown() }
            server.close()
        }

        fun store(
            client: Int = 0,
            settings: Settings = patient(),
        ) = RedisStore(clients[client], settings)

        fun calls(): Long =
            Regex("cmdstat_evalsha:calls=(\\d+)").find(server.ask { info("commandstats") })?.groupValues?.get(1)?.toLong() ?: 0

        /** So many callers, one after another each, for this time; what they were granted. */
        suspend fun RateLimiter.busy(
            callers: Int,
            time: kotlin.time.Duration,
        ): Long {
            val granted = AtomicLong()
            withContext(Dispatchers.Default) {
                withTimeoutOrNull(time) {
                    repeat(callers) {
                        launch {
                            while (isActive) {
                                acquire()
                                granted.incrementAndGet()
                            }
                        }
                    }
                }
            }
            return granted.get()
        }

        test("one poll for a thousand waiters (sidekiq#5315): 1,000 at 1,000 a second cost 50 calls a second at most") {
            store().use {
                val limiter = RateLimiter("crowd", 1_000.perSecond.withBurst(1), store = it)
                limiter.acquire()
                val arrived = AtomicLong()
                val start = TimeSource.Monotonic.markNow()
                coroutineScope {
                    repeat(1_000) { launch(Dispatchers.Default) { limiter.acquire().also { arrived.incrementAndGet() } } }
                    // The burst of first questions is gathered into a few calls; from here on only the line asks.
                    awaitThat("the line's first grants") { arrived.get() > 50 }
                    val before = calls()
                    awaitThat("all grants") { arrived.get() == 1_000L }
                    val seconds = start.elapsedNow().inWholeMilliseconds / 1_000.0
                    (calls() - before).toDouble().shouldBeBetween(1.0, 50 * maxOf(seconds, 1.0), 0.0)
                }
                start.elapsedNow().inWholeMilliseconds shouldBeAtLeast 999
            }
        }

        test("two processes share fairly: each gets 40 to 60 % over ten seconds, and both together no more than the limit") {
            store(0).use { one ->
                store(1).use { two ->
                    val start = TimeSource.Monotonic.markNow()
                    val granted = LongArray(2)
                    coroutineScope {
                        listOf(one, two).forEachIndexed { i, store ->
                            launch {
                                granted[i] = RateLimiter("shared", 1_000.perSecond.withBurst(10), store = store).busy(200, 10.seconds)
                            }
                        }
                    }
                    granted.sum() shouldBeAtMost 10 + start.elapsedNow().inWholeMilliseconds
                    granted.sum() shouldBeAtLeast 5_000
                    for (share in granted) (share.toDouble() / granted.sum()).shouldBeBetween(0.4, 0.6, 0.0)
                }
            }
        }

        test("windows hold for those who wait, though half of them leave: never above the limit in any of them") {
            val limits =
                listOf(
                    RateLimit.fixedWindow(20, Duration.ofMillis(500)),
                    RateLimit.slidingLog(20, Duration.ofMillis(500)),
                    RateLimit.slidingWindow(20, Duration.ofMillis(500)),
                )
            for (limit in limits) {
                store(0).use { one ->
                    store(1).use { two ->
                        val start = TimeSource.Monotonic.markNow()
                        val granted = AtomicLong()
                        coroutineScope {
                            for (store in listOf(one, two)) {
                                val limiter = RateLimiter("windows of ${limit.algorithm()}", limit, store = store)
                                launch { granted.addAndGet(limiter.busy(20, 3.seconds)) }
                                repeat(20) { i -> launch { repeat(20) { granted.addAndGet(limiter.busy(1, (i * 10).seconds / 1_000)) } } }
                            }
                        }
                        // Every window that the time touches, full.
                        granted.get() shouldBeAtMost 20 * (start.elapsedNow().inWholeMilliseconds / 500 + 2)
                        granted.get() shouldBeAtLeast 20 * 3
                    }
                }
            }
        }

        test("leases of two processes are granted what the limit has, and what is not used is there after the end") {
            val settings = patient(leasePermits = 100, leaseIdleNanos = 3_600_000_000_000)
            val stores = listOf(store(0, settings), store(1, settings))
            val limiters = stores.map { RateLimiter("leased", RateLimit.perDay(10_000.0), store = it) }
            val granted = AtomicLong()
            val before = calls()
            val threads =
                List(8) { n -> thread { repeat(900) { if (limiters[n % 2].tryAcquireBlocking().isAllowed) granted.incrementAndGet() } } }
            threads.forEach { it.join() }
            granted.get() shouldBe 7_200
            calls() - before shouldBeLessThan 300
            stores.forEach { it.close() }
            // A ten-thousandth of a day gives one back.
            store().use { RateLimiter("leased", RateLimit.perDay(10_000.0), store = it).peekBlocking().remaining() shouldBeAtLeast 2_800 }
            store().use { RateLimiter("leased", RateLimit.perDay(10_000.0), store = it).peekBlocking().remaining() shouldBeLessThan 2_820 }
        }

        test("an idle lease goes back by itself") {
            val settings = patient(leasePermits = 100, leaseIdleNanos = 20_000_000)
            store(0, settings).use { leasing ->
                RateLimiter("idle", 1_000.perHour, store = leasing).tryAcquireBlocking().isAllowed shouldBe true
                store(1).use { other ->
                    val plain = RateLimiter("idle", 1_000.perHour, store = other)
                    awaitThat("the return of the lease") { plain.peekBlocking().remaining() == 999L }
                }
            }
        }

        test("an attacker whom a denial is remembered of costs no calls; a reset of this process is heard at once") {
            store(0, patient(denials = 100)).use { store ->
                val limiter = RateLimiter("attacked", 3.perHour, store = store)
                repeat(4) { limiter.tryAcquireBlocking() }
                val before = calls()
                repeat(10_000) { limiter.tryAcquireBlocking().isAllowed shouldBe false }
                calls() - before shouldBeAtMost 0
                limiter.resetBlocking()
                limiter.tryAcquireBlocking().isAllowed shouldBe true
                repeat(3) { limiter.tryAcquireBlocking() }
                limiter.settleBlocking(2, 0)
                limiter.tryAcquireBlocking(2).isAllowed shouldBe true
            }
        }

        test("the strictest limit that a live client declares rules, and no longer than it lives") {
            val timing = Declaring(between = Duration.ofMillis(20), validity = Duration.ofMillis(200))
            store(0).use { one ->
                val generous = strictest("strict", one, timing, 100.perHour)
                val second = store(1)
                val strict = strictest("strict", second, timing, 10.perHour)
                awaitThat("the stricter limit at the other") { generous.limits() == listOf(10.perHour) }
                strict.setLimits(20.perHour)
                awaitThat("its change") { generous.limits() == listOf(20.perHour) }
                generous.setLimits(5.perHour)
                awaitThat("the other's change") { strict.limits() == listOf(5.perHour) }
                generous.setLimits(100.perHour)
                generous.limits() shouldBe listOf(20.perHour)
                second.close()
                awaitThat("the end of the second") { generous.limits() == listOf(100.perHour) }
            }
        }

        test("limits of which none is the strictest rule together, at the same places wherever they were given first") {
            val timing = Declaring(between = Duration.ofMillis(20), validity = Duration.ofSeconds(20))
            val second = RateLimit.fixedWindow(3, Duration.ofDays(1))
            store(0).use { one ->
                store(1).use { two ->
                    val first = strictest("both", one, timing, 10.perHour)
                    val other = strictest("both", two, timing, second)
                    awaitThat("both at both") { first.limits().size == 2 && other.limits().size == 2 }
                    repeat(2) { first.tryAcquireBlocking().isAllowed shouldBe true }
                    other.tryAcquireBlocking().isAllowed shouldBe true
                    first.tryAcquireBlocking().isAllowed shouldBe false
                    other.tryAcquireBlocking().isAllowed shouldBe false
                    val texts = List(2) { slot -> server.ask { get("ratelimit:{both}:$slot") }.substringBefore(' ') }
                    texts shouldBe listOf("token-bucket", "fixed-window")
                }
            }
        }

        test("what is in Redis reads like what it means") {
            val at = 1_795_262_399_987_654
            store(0, patient(now = { at })).use { store ->
                fun use(
                    name: String,
                    limit: RateLimit,
                ) {
                    RateLimiter(name, limit, store = store).tryAcquireBlocking(3).isAllowed shouldBe true
                }

                fun text(name: String): String = server.ask { get("ratelimit:{$name}:0") }
                use("read token", 10.perSecond)
                text("read token") shouldBe "token-bucket 1/100000us burst 10 | at=$at used=3 rest=0"
                use("read leaky", RateLimit.leakyBucket(10, Duration.ofSeconds(1), 5))
                text("read leaky") shouldBe "leaky-bucket 1/100000us burst 5 | at=$at used=3 rest=0"
                use("read fixed", RateLimit.fixedWindow(5, Duration.ofMinutes(1)))
                text("read fixed") shouldBe "fixed-window 5/60000000us | window=${at / 60_000_000} used=3"
                use("read sliding", RateLimit.slidingWindow(5, Duration.ofMinutes(1)))
                text("read sliding") shouldBe "sliding-window 5/60000000us | window=${at / 60_000_000} used=3 before=0"
                use("read log", RateLimit.slidingLog(5, Duration.ofMinutes(1)))
                val log = server.ask { hgetall("ratelimit:{read log}:0") }
                log["limit"] shouldBe "sliding-log 5/60000000us"
                log["0"].orEmpty() shouldMatch "$at:3"
            }
        }

        test("the environment chooses the store: REDIS_URL set is Redis, otherwise memory") {
            for (environment in listOf(emptyMap(), mapOf("REDIS_URL" to " "), mapOf("REDIS" to server.uri))) {
                RateLimitStores.from(environment).use { it.shouldBeInstanceOf<MemoryStore>() }
            }
            RateLimitStores.from(mapOf("REDIS_URL" to " ${server.uri} ")).use { store: RateLimitStore ->
                store.shouldBeInstanceOf<RedisStore>()
                val charge = dev.ratelimit.spi.Charge(BucketKey("environment", null, 0), 10.perHour, 4)
                store.tryAcquireAsync(listOf(charge), 0).toCompletableFuture().join().remaining() shouldBe 6
                server.ask { exists("ratelimit:{environment}:0") } shouldBe 1
            }
        }
    })

/** Nothing here is about outages, however slow the machine is at the moment. */
private fun patient(
    leasePermits: Long = 0,
    leaseIdleNanos: Long = 0,
    denials: Int = 0,
    now: () -> Long? = { null },
) = Settings(
    policy = FailurePolicy.raise(),
    deadlineNanos = 30.seconds.inWholeNanoseconds,
    connectTimeoutNanos = 60.seconds.inWholeNanoseconds,
    leasePermits = leasePermits,
    leaseIdleNanos = leaseIdleNanos,
    denials = denials,
    now = now,
)

private typealias Declaring = dev.ratelimit.jvm.limiter.Declaring.Timing

private fun strictest(
    name: String,
    store: RedisStore,
    timing: Declaring,
    limit: RateLimit,
): RateLimiter {
    val options = dev.ratelimit.jvm.limiter.LimiterOptions(null, Dispatchers.Default, 1_000)
    val family = dev.ratelimit.jvm.limiter.RemoteFamily(name, listOf(limit), store, options, dev.ratelimit.jvm.limiter.OneLine(1_000))
    family.declareIn(store, timing)
    return dev.ratelimit.jvm.limiter.RemoteLimiter(family, null)
}

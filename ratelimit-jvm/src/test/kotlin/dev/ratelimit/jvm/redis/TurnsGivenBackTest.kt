package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.conformance.KEY
import dev.ratelimit.jvm.conformance.adjustment
import dev.ratelimit.jvm.conformance.charge
import dev.ratelimit.jvm.redis.rig.RedisServer
import dev.ratelimit.jvm.redis.rig.ask
import dev.ratelimit.spi.BucketKey
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.doubles.shouldBeLessThanOrEqual
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldNotContain
import io.lettuce.core.RedisClient
import kotlinx.coroutines.future.await
import java.time.Duration
import java.util.concurrent.atomic.AtomicLong
import kotlin.random.Random

/**
 * Processes that hold turns of one bucket, and give some of them back while others hold later ones. Instants are microseconds, which the
 * test sends along.
 */
internal class TurnsGivenBackTest :
    FunSpec({
        val server = RedisServer()
        val client = RedisClient.create(server.uri)
        val now = AtomicLong(START)
        val settings = Settings(policy = FailurePolicy.raise(), deadlineNanos = 30_000_000_000, now = now::get)
        val stores = List(3) { RedisStore(client, settings) }
        val (a, b, c) = stores
        afterSpec {
            stores.forEach { it.close() }
            client.shutdown()
            server.close()
        }
        beforeTest { server.ask { flushall() } }

        /** The instants of the turns, in milliseconds. */
        suspend fun RedisStore.turns(
            count: Int,
            limit: RateLimit,
        ): List<Long> {
            val reservation = reserveAsync(listOf(limit.charge()), count, 1_000_000_000).await()
            return List(reservation.turns()) { (now.get() - START + reservation.waitNanos(it) / 1_000) / 1_000 }
        }

        test("A holds turns 0 to 9, B 10 to 19; what A gives back lets nobody in before 20, nor two at once") {
            val limit = RateLimit.perSecond(1_000.0).withBurst(1)
            a.turns(10, limit) shouldBe (0L..9L).toList()
            b.turns(10, limit) shouldBe (10L..19L).toList()
            now.addAndGet(4_500)
            a.returnAsync(listOf(limit.adjustment(-5))).await()
            c.turns(3, limit) shouldBe listOf(20L, 21L, 22L)
        }

        test("what A gives back of a larger burst comes back, as far as B's turns leave room") {
            now.set(START)
            val limit = RateLimit.perSecond(1_000.0).withBurst(4)
            a.turns(14, limit) shouldBe listOf<Long>(0, 0, 0, 0) + (1L..10L)
            b.turns(10, limit) shouldBe (11L..20L).toList()
            now.addAndGet(5_500)
            a.returnAsync(listOf(limit.adjustment(-5))).await()
            // B's own turn at 20 and three more fill the burst.
            c.turns(5, limit) shouldBe listOf<Long>(18, 19, 20, 21, 22)
        }

        test("the last turns of all come back whole, and with them their time") {
            now.set(START)
            val limit = RateLimit.perSecond(1_000.0).withBurst(1)
            a.turns(10, limit)
            b.turns(10, limit)
            now.addAndGet(4_500)
            b.returnAsync(listOf(limit.adjustment(-7))).await()
            c.turns(2, limit) shouldBe listOf(13L, 14L)
            c.returnAsync(listOf(limit.adjustment(-2))).await()
            c.turns(1, limit) shouldBe listOf(13L)
        }

        test("a correction of what was used before does not move turns that are held either") {
            now.set(START)
            val limit = RateLimit.perSecond(1_000.0).withBurst(2)
            a.turns(12, limit)
            now.addAndGet(5_500)
            c.adjustAsync(listOf(limit.adjustment(-100))).await()
            c.turns(2, limit) shouldBe listOf(10L, 11L)
        }

        test("once the turns are over, the bucket reads as it always did") {
            now.set(START)
            val limit = RateLimit.perSecond(1_000.0).withBurst(5)
            a.turns(20, limit)
            now.addAndGet(18_000)
            b.tryAcquireAsync(listOf(limit.charge()), Long.MAX_VALUE).await().isAllowed shouldBe true
            server.ask { get(RedisKeys("ratelimit:").nameOf(KEY)) } shouldNotContain "held"
        }

        test("whatever processes reserve, use and give back, no interval has more than burst + rate × time") {
            var returns = 0
            repeat(TRACES) { seed ->
                val trace = Trace(stores, now, Random(seed), BucketKey("random", "$seed", 0))
                withClue("seed $seed, ${trace.limits}") { trace.play() }
                returns += trace.returns
            }
            returns shouldBeGreaterThan TRACES
        }
    }) {
    private class Grant(
        val at: Long,
        val permits: Long,
    )

    /** One or two limits of one key; what is held is used at its turn unless it was given back before. */
    private class Trace(
        private val stores: List<RedisStore>,
        private val now: AtomicLong,
        private val random: Random,
        key: BucketKey,
    ) {
        val limits: List<RateLimit> =
            List(random.nextInt(1, 3)) {
                val permits = random.nextLong(1, 40)
                RateLimit.tokenBucket(permits, Duration.ofMillis(random.nextLong(5, 200))).withBurst(random.nextLong(4, 30))
            }
        var returns = 0
            private set
        private val keys = limits.indices.map { BucketKey(key.limiter, key.key, it) }
        private val used = ArrayList<Grant>()
        private val held = stores.map { ArrayList<Grant>() }

        suspend fun play() {
            repeat(STEPS) {
                val who = random.nextInt(stores.size)
                when (random.nextInt(6)) {
                    0, 1 -> reserve(who)
                    2 -> giveBack(who)
                    3 -> acquire(who)
                    else -> now.addAndGet(random.nextLong(40_000))
                }
                held.forEach { turns ->
                    val (over, ahead) = turns.partition { it.at <= now.get() }
                    used += over
                    turns.clear()
                    turns += ahead
                }
            }
            held.forEach(used::addAll)
            limits.forEach(::check)
        }

        private fun charges(permits: Long) = limits.mapIndexed { i, limit -> limit.charge(permits, keys[i]) }

        private suspend fun reserve(who: Int) {
            val permits = random.nextLong(1, 4)
            val reservation = stores[who].reserveAsync(charges(permits), random.nextInt(1, 30), 1_000_000_000).await()
            repeat(reservation.turns()) { held[who] += Grant(now.get() + reservation.waitNanos(it) / 1_000, permits) }
        }

        private suspend fun acquire(who: Int) {
            val permits = random.nextLong(1, 4)
            val result = stores[who].tryAcquireAsync(charges(permits), Long.MAX_VALUE).await()
            if (result.isAllowed) used += Grant(now.get(), permits)
        }

        /** The last ones: a line uses its turns in order. */
        private suspend fun giveBack(who: Int) {
            val turns = held[who].sortedBy { it.at }.takeLast(random.nextInt(1, 30))
            if (turns.isEmpty()) return
            val permits = turns.sumOf { it.permits }
            stores[who].returnAsync(limits.mapIndexed { i, limit -> limit.adjustment(-permits, keys[i]) }).await()
            held[who].removeAll(turns.toSet())
            returns++
        }

        /** The level of a bucket that is granted these in the order of their instants: never above the burst. */
        private fun check(limit: RateLimit) {
            val perMicro = limit.permits() * 1_000.0 / limit.period().toNanos()
            var level = 0.0
            var at = START
            for (grant in used.sortedBy { it.at }) {
                level = (level - (grant.at - at) * perMicro).coerceAtLeast(0.0) + grant.permits
                at = grant.at
                // Each turn comes at a whole microsecond.
                withClue("$limit at ${at - START}") { level shouldBeLessThanOrEqual limit.burst() + perMicro + 1e-6 }
            }
        }
    }

    private companion object {
        const val START = 1_795_262_400_000_000
        const val TRACES = 300
        const val STEPS = 60
    }
}

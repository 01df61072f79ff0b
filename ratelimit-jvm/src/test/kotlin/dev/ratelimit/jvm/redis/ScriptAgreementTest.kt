package dev.ratelimit.jvm.redis

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.algorithm.Meter
import dev.ratelimit.jvm.algorithm.limit
import dev.ratelimit.jvm.redis.rig.RedisServer
import io.kotest.assertions.fail
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.lettuce.core.RedisClient
import kotlinx.coroutines.future.await
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import kotlin.random.Random

/**
 * The script against its Kotlin twin: on each step of a random trace all numbers of the answer are the same. The twin counts
 * nanoseconds where the script counts microseconds; for both they are just ticks. Steps step back in time, give back and take debt.
 */
internal class ScriptAgreementTest :
    FunSpec({
        val steps = Integer.getInteger("ratelimit.redis.agreement.steps", 100_000)
        val server = RedisServer()
        val client = RedisClient.create(server.uri)
        val link = Link(client.connect())
        // First, for what is sent before the server knows a script is done in another order.
        beforeSpec {
            link.run(Script.LISTS, ListBatch(null, null)::arguments, ::LongsOutput).await()
        }
        afterSpec {
            client.shutdown()
            server.close()
        }

        for (algorithm in Algorithm.entries) {
            test("$algorithm: the script agrees with its Kotlin twin on $steps random steps") {
                repeat(steps / TRACE) { i -> Trace(algorithm, Random(SEED + i), link, "agreement:{$i}:${algorithm.ordinal}").run() }
            }
        }

        test("the short script for the common case agrees too, or leaves the step to the other one") {
            var short = 0
            repeat(steps / TRACE / 4) { i ->
                short += Trace(Algorithm.TOKEN_BUCKET, Random(SEED - i), link, "short:{$i}", isShort = true).apply { run() }.shortAnswers
            }
            short shouldBeGreaterThan steps / 20
        }
    }) {
    private class Trace(
        algorithm: Algorithm,
        private val random: Random,
        private val link: Link,
        private val key: String,
        private val isShort: Boolean = false,
    ) {
        /** How many steps the short script has answered. */
        var shortAnswers = 0
            private set

        private val inTicks: RateLimit = generateSequence { random.limit(algorithm) }.first { it.burst() < FAR && slowed(it) != null }
        private val limit: RedisLimit = checkNotNull(slowed(inTicks))
        private val meter = Meter.of(inTicks, 0).plain
        private val pace = (inTicks.period().toNanos() / inTicks.permits()).coerceIn(1, 1L shl 40)
        private var now = random.nextLong(1L shl 45, 1L shl 46)
        private var state = meter.fresh(now)
        private var isGone = true
        private val answers = ArrayList<Pair<List<Long>, CompletionStage<LongArray>>>()
        private val said = ArrayList<String>()

        suspend fun run() {
            repeat(TRACE) { step() }
            answers.forEachIndexed { i, (expected, answer) ->
                val actual = answer.await().map(::capped)
                if (actual != expected) {
                    fail(
                        "$limit: the script says $actual, its twin $expected at the end of:\n${said.take(
                            i + 1,
                        ).takeLast(5).joinToString("\n")}",
                    )
                }
            }
        }

        private suspend fun step() {
            val permits = random.nextLong(1, minOf(inTicks.burst(), 1L shl random.nextInt(1, 10)) + 1)
            advance(permits)
            when (random.nextInt(10)) {
                0 -> ask(Operation.ADJUST, -permits) { meter.giveBack(state, now, permits).let { DONE } }
                1 -> ask(Operation.ADJUST, permits) { meter.add(state, now, permits).let { state = it }.let { DONE } }
                2 -> peek(permits)
                else -> ask(Operation.ACQUIRE, permits) { acquired(permits) }
            }
        }

        private suspend fun peek(permits: Long) {
            val ahead = if (random.nextBoolean()) 0L else random.nextLong(minOf(inTicks.burst(), 1L shl 20) * 3)
            ask(Operation.PEEK, permits, ahead) {
                if (meter.waitFor(state, now, permits, ahead) == 0L) granted(meter.delay(state, now)) else refused(permits, ahead)
            }
        }

        private fun acquired(permits: Long): List<Long> {
            if (!meter.admits(state, now, permits)) return refused(permits)
            val delay = meter.delay(state, now)
            state = meter.add(state, now, permits)
            return granted(delay)
        }

        private fun granted(delay: Long) = listOf(
            1,
            1,
            meter.remaining(state, now),
            0,
            capped(meter.resetAfter(state, now)),
            capped(delay),
            0,
        )

        private fun refused(
            permits: Long,
            ahead: Long = 0,
        ) =
            listOf(
                0,
                1,
                meter.remaining(state, now),
                capped(meter.waitFor(state, now, permits, ahead)),
                capped(meter.resetAfter(state, now)),
                0,
                0,
            )

        private fun long(request: Request<*>): CompletionStage<LongArray> =
            link.run(Script.LISTS, ListBatch(now, null).apply { add(request) }::arguments, ::LongsOutput)

        /** In the seven numbers of the other script. Waits, for what the short one leaves has to be asked again before the next step. */
        private suspend fun short(request: Request<*>): CompletionStage<LongArray> {
            val (granted, remaining, wait, reset) =
                link.run(Script.ONES, OnesBatch(now) {}.apply { add(request) }::arguments, ::LongsOutput).await()
            if (granted < 0) return long(request).also { it.await() }
            shortAnswers++
            return CompletableFuture.completedFuture(longArrayOf(granted, 1, remaining, wait, reset, 0, 0))
        }

        private suspend fun ask(
            operation: Operation,
            permits: Long,
            ahead: Long = 0,
            expected: () -> List<Long>,
        ) {
            said += "$operation $permits at $now in ${state.asList()}"
            val request = Request(operation, listOf(Item(key, limit, permits)), Long.MAX_VALUE, ahead, {}, { throw it })
            if (isGone) state = meter.fresh(now)
            val numbers = expected()
            answers += numbers to if (isShort && OnesBatch.takes(request)) short(request) else long(request)
            // Whoever writes a full bucket deletes it.
            val writes = operation == Operation.ADJUST || (operation == Operation.ACQUIRE && numbers[0] == 1L)
            isGone = (isGone || writes) && meter.resetAfter(state, now) == 0L
        }

        /** Mostly about the time of a permit; often exactly to the end of the wait, or the tick before; now and then far. */
        private fun advance(permits: Long) {
            val wait = meter.waitFor(state, now, permits, 0)
            val step =
                when (random.nextInt(10)) {
                    0 -> 0
                    1, 2 -> wait
                    3, 4 -> wait - 1
                    5 -> -random.nextLong(pace * 2)
                    6 -> random.nextLong(inTicks.period().toNanos().coerceAtMost(1L shl 46)) * 3
                    else -> random.nextLong(pace * 3)
                }
            if (step < FAR && now + step in 0 until FAR * 2) now += step
        }
    }

    private companion object {
        const val SEED = 7_000_003L
        const val TRACE = 500
        const val FAR = 1L shl 50
        val DONE = listOf<Long>(1, 0, 0, 0, 0, 0, 0)

        /** Longer waits are for ever, in numbers of 53 bits as in those of 63. */
        fun capped(ticks: Long) = minOf(ticks, 1L shl 52)

        /** The same numbers in ticks of a microsecond; null when the script has no exact form of them. */
        fun slowed(limit: RateLimit): RedisLimit? =
            runCatching {
                val period = Duration.ofNanos(Math.multiplyExact(limit.period().toNanos(), 1_000))
                RedisLimit.of(
                    when (limit.algorithm()) {
                        Algorithm.TOKEN_BUCKET -> RateLimit.tokenBucket(limit.permits(), period).withBurst(limit.burst())
                        Algorithm.LEAKY_BUCKET -> RateLimit.leakyBucket(limit.permits(), period, limit.burst())
                        Algorithm.FIXED_WINDOW -> RateLimit.fixedWindow(limit.permits(), period)
                        Algorithm.SLIDING_WINDOW -> RateLimit.slidingWindow(limit.permits(), period)
                        Algorithm.SLIDING_LOG -> RateLimit.slidingLog(limit.permits(), period)
                    },
                )
            }.getOrNull()
    }
}

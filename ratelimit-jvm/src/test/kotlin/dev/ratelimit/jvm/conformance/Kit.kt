package dev.ratelimit.jvm.conformance

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitResult
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.RateLimitStore
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.future.await
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.toJavaDuration

/** A fixture, and the five operations in few words. */
internal class Kit(
    private val fixture: StoreFixture,
) {
    val store: RateLimitStore get() = fixture.store

    /** The least time that the store tells from none. */
    val tick: Duration get() = fixture.resolution

    fun advance(time: Duration) = fixture.advance(time)

    suspend fun take(
        charges: List<Charge>,
        maxDelay: Long = Long.MAX_VALUE,
    ): RateLimitResult = store.tryAcquireAsync(charges, maxDelay).await()

    suspend fun take(vararg charges: Charge): RateLimitResult = take(charges.asList())

    suspend fun peek(vararg charges: Charge): RateLimitResult = store.peekAsync(charges.asList(), 0).await()

    suspend fun adjust(vararg adjustments: Adjustment) {
        store.adjustAsync(adjustments.asList()).await()
    }

    suspend fun reset(vararg keys: BucketKey) {
        store.resetAsync(keys.asList()).await()
    }

    /** The permits that are there. */
    suspend fun left(
        limit: RateLimit,
        key: BucketKey = KEY,
    ): Long = peek(Charge(key, limit, 1)).remaining()

    /** [time], up to the next instant that the store can tell. */
    fun rounded(time: Duration): Duration {
        val step = tick.inWholeNanoseconds
        return ((time.inWholeNanoseconds + step - 1) / step * step).nanoseconds
    }

    /** Moves to the start of a window of [period], by what the store says of one. */
    suspend fun alignTo(period: Duration) {
        val untilNext = take(Charge(BucketKey("align", period.toString(), 0), RateLimit.fixedWindow(1, period.toJavaDuration()), 1))
        untilNext.resetAfterNanos() shouldBeGreaterThan 0
        advance(untilNext.resetAfterNanos().nanoseconds)
    }
}

internal val KEY = BucketKey("limiter", "key", 0)

internal fun RateLimit.charge(
    permits: Long = 1,
    key: BucketKey = KEY,
) = Charge(key, this, permits)

internal fun RateLimit.adjustment(
    permits: Long,
    key: BucketKey = KEY,
) = Adjustment(key, this, permits)

/** A limit of [permits] each [period], which can all be granted at once, whatever the algorithm. */
internal fun Algorithm.limit(
    permits: Long,
    period: Duration,
): RateLimit {
    val time = period.toJavaDuration()
    return when (this) {
        Algorithm.TOKEN_BUCKET -> RateLimit.tokenBucket(permits, time)
        Algorithm.LEAKY_BUCKET -> RateLimit.leakyBucket(permits, time, permits)
        Algorithm.FIXED_WINDOW -> RateLimit.fixedWindow(permits, time)
        Algorithm.SLIDING_WINDOW -> RateLimit.slidingWindow(permits, time)
        Algorithm.SLIDING_LOG -> RateLimit.slidingLog(permits, time)
    }
}

internal infix fun RateLimitResult.shouldBeAllowed(allowed: Boolean) {
    if (isAllowed != allowed) throw AssertionError("expected ${if (allowed) "a grant" else "a refusal"} but it was: $this")
}

internal fun RateLimitResult.shouldLeave(remaining: Long) {
    this shouldBeAllowed true
    remaining() shouldBe remaining
}

/** A test on a store of its own. */
internal fun FunSpec.storeTest(
    name: String,
    open: () -> StoreFixture,
    body: suspend Kit.() -> Unit,
) = test(name) { open().use { Kit(it).body() } }

/** One test for each algorithm. */
internal fun FunSpec.eachAlgorithm(
    name: String,
    open: () -> StoreFixture,
    body: suspend Kit.(Algorithm) -> Unit,
) = Algorithm.entries.forEach { algorithm -> storeTest("$algorithm: $name", open) { body(algorithm) } }

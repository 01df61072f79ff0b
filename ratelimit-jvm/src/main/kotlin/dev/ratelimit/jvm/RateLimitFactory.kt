package dev.ratelimit.jvm

import kotlin.time.Duration
import kotlin.time.toJavaDuration
import dev.ratelimit.RateLimit as Limit
import java.time.Duration as JavaDuration

/**
 * The factories of [dev.ratelimit.RateLimit] with Kotlin's durations. Kotlin has no static extensions of a Java class, but where a
 * property and a class have the same name, an expression means the property: with `import dev.ratelimit.jvm.*` beside
 * `import dev.ratelimit.*`, Kotlin writes `RateLimit.fixedWindow(5, 5.minutes)`, and `RateLimit` as a type stays the class.
 */
public val RateLimit: RateLimitFactory get() = RateLimitFactory

/** See [RateLimit]; each function is the static one of [dev.ratelimit.RateLimit] with the same name. */
public object RateLimitFactory {
    /** See [dev.ratelimit.RateLimit.tokenBucket]. */
    public fun tokenBucket(
        permits: Long,
        period: Duration,
    ): Limit = Limit.tokenBucket(permits, exact(period))

    /** See [dev.ratelimit.RateLimit.leakyBucket]. */
    public fun leakyBucket(
        permits: Long,
        period: Duration,
        capacity: Long,
    ): Limit = Limit.leakyBucket(permits, exact(period), capacity)

    /** See [dev.ratelimit.RateLimit.fixedWindow]. */
    public fun fixedWindow(
        permits: Long,
        period: Duration,
    ): Limit = Limit.fixedWindow(permits, exact(period))

    /** See [dev.ratelimit.RateLimit.slidingWindow]. */
    public fun slidingWindow(
        permits: Long,
        period: Duration,
    ): Limit = Limit.slidingWindow(permits, exact(period))

    /** See [dev.ratelimit.RateLimit.slidingLog]. */
    public fun slidingLog(
        permits: Long,
        period: Duration,
    ): Limit = Limit.slidingLog(permits, exact(period))

    /** See [dev.ratelimit.RateLimit.every]. */
    public fun every(period: Duration): Limit = Limit.every(exact(period))

    /** See [dev.ratelimit.RateLimit.tokenBucket]. */
    public fun tokenBucket(
        permits: Long,
        period: JavaDuration,
    ): Limit = Limit.tokenBucket(permits, period)

    /** See [dev.ratelimit.RateLimit.leakyBucket]. */
    public fun leakyBucket(
        permits: Long,
        period: JavaDuration,
        capacity: Long,
    ): Limit = Limit.leakyBucket(permits, period, capacity)

    /** See [dev.ratelimit.RateLimit.fixedWindow]. */
    public fun fixedWindow(
        permits: Long,
        period: JavaDuration,
    ): Limit = Limit.fixedWindow(permits, period)

    /** See [dev.ratelimit.RateLimit.slidingWindow]. */
    public fun slidingWindow(
        permits: Long,
        period: JavaDuration,
    ): Limit = Limit.slidingWindow(permits, period)

    /** See [dev.ratelimit.RateLimit.slidingLog]. */
    public fun slidingLog(
        permits: Long,
        period: JavaDuration,
    ): Limit = Limit.slidingLog(permits, period)

    /** See [dev.ratelimit.RateLimit.every]. */
    public fun every(period: JavaDuration): Limit = Limit.every(period)

    /** See [dev.ratelimit.RateLimit.perSecond]. */
    public fun perSecond(rate: Double): Limit = Limit.perSecond(rate)

    /** See [dev.ratelimit.RateLimit.perMinute]. */
    public fun perMinute(rate: Double): Limit = Limit.perMinute(rate)

    /** See [dev.ratelimit.RateLimit.perHour]. */
    public fun perHour(rate: Double): Limit = Limit.perHour(rate)

    /** See [dev.ratelimit.RateLimit.perDay]. */
    public fun perDay(rate: Double): Limit = Limit.perDay(rate)

    /** See [dev.ratelimit.RateLimit.perSecond]. */
    public fun perSecond(rate: Int): Limit = Limit.perSecond(rate.toDouble())

    /** See [dev.ratelimit.RateLimit.perMinute]. */
    public fun perMinute(rate: Int): Limit = Limit.perMinute(rate.toDouble())

    /** See [dev.ratelimit.RateLimit.perHour]. */
    public fun perHour(rate: Int): Limit = Limit.perHour(rate.toDouble())

    /** See [dev.ratelimit.RateLimit.perDay]. */
    public fun perDay(rate: Int): Limit = Limit.perDay(rate.toDouble())

    /** See [dev.ratelimit.RateLimit.parse]. */
    public fun parse(text: String): Limit = Limit.parse(text)

    private fun exact(period: Duration): JavaDuration {
        require(period.isFinite()) { "period $period is not finite; write for example 5.minutes" }
        return period.toJavaDuration()
    }
}

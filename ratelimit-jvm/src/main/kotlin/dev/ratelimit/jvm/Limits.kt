package dev.ratelimit.jvm

import dev.ratelimit.RateLimitResult
import kotlin.time.Duration
import kotlin.time.toKotlinDuration
import dev.ratelimit.RateLimit as Limit

/** A token bucket of this many permits a second. */
public val Int.perSecond: Limit get() = Limit.perSecond(toDouble())

/** A token bucket of this many permits a minute. */
public val Int.perMinute: Limit get() = Limit.perMinute(toDouble())

/** A token bucket of this many permits an hour. */
public val Int.perHour: Limit get() = Limit.perHour(toDouble())

/** A token bucket of this many permits a day. */
public val Int.perDay: Limit get() = Limit.perDay(toDouble())

/** A token bucket of this many permits a second; fractions as in [dev.ratelimit.RateLimit.perSecond]. */
public val Double.perSecond: Limit get() = Limit.perSecond(this)

/** A token bucket of this many permits a minute; fractions as in [dev.ratelimit.RateLimit.perSecond]. */
public val Double.perMinute: Limit get() = Limit.perMinute(this)

/** A token bucket of this many permits an hour; fractions as in [dev.ratelimit.RateLimit.perSecond]. */
public val Double.perHour: Limit get() = Limit.perHour(this)

/** A token bucket of this many permits a day; fractions as in [dev.ratelimit.RateLimit.perSecond]. */
public val Double.perDay: Limit get() = Limit.perDay(this)

/** The time that brings the limit's permits. */
public val Limit.period: Duration get() = period().toKotlinDuration()

/** See [RateLimitResult.retryAfter]. */
public val RateLimitResult.retryAfter: Duration get() = retryAfter().toKotlinDuration()

/** See [RateLimitResult.resetAfter]. */
public val RateLimitResult.resetAfter: Duration get() = resetAfter().toKotlinDuration()

/** See [RateLimitResult.delay]. */
public val RateLimitResult.delay: Duration get() = delay().toKotlinDuration()

/** See [RateLimitResult.remaining]. */
public val RateLimitResult.remaining: Long get() = remaining()

/** See [RateLimitResult.limit]. */
public val RateLimitResult.limit: Limit get() = limit()

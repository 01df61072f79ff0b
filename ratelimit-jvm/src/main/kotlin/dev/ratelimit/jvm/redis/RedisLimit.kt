package dev.ratelimit.jvm.redis

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimit
import java.math.BigInteger

/**
 * A limit in the words of the script, such as `token-bucket 1/100000us burst 10`: numbers of microseconds, which is what Redis tells
 * time in, and small enough for Lua, whose numbers are doubles. A rate is a reduced fraction of permits and microseconds; a window has
 * its permits and its period.
 */
internal class RedisLimit private constructor(
    @JvmField val limit: RateLimit,
    @JvmField val text: String,
    /** Of a bucket, the rate: p permits in q microseconds. */
    @JvmField val p: Long,
    @JvmField val q: Long,
) {
    /** What the text of a bucket in Redis begins with. */
    @JvmField val head: String = "$text | "

    /** Whether it is of the common kind that ones.lua knows: a token bucket whose products are far from where Lua's numbers end. */
    @JvmField val isShort: Boolean =
        limit.algorithm() == Algorithm.TOKEN_BUCKET && q.toBigInteger() * limit.burst().toBigInteger() <= MOST_PRODUCT

    override fun toString(): String = text

    companion object {
        private val NANOS_PER_MICRO = BigInteger.valueOf(1_000)
        private val NANOS_PER_SECOND = BigInteger.valueOf(1_000_000_000)

        /** 2⁵¹: leaves the script's exact products room below 2⁵³. */
        private val MOST = BigInteger.ONE.shiftLeft(51)

        /** 2⁵¹: with debt of the size of the burst still below 2⁵³. */
        private val MOST_PRODUCT = BigInteger.ONE.shiftLeft(51)

        /** @throws IllegalArgumentException if the limit has no exact form in such numbers */
        fun of(limit: RateLimit): RedisLimit =
            when (limit.algorithm()) {
                Algorithm.TOKEN_BUCKET, Algorithm.LEAKY_BUCKET -> bucket(limit)
                else -> window(limit)
            }

        private fun bucket(limit: RateLimit): RedisLimit {
            val permits = limit.permits().toBigInteger() * NANOS_PER_MICRO
            val divisor = permits.gcd(nanosOf(limit))
            val p = counted(limit, "rate", permits / divisor)
            val q = counted(limit, "period", nanosOf(limit) / divisor)
            val burst = counted(limit, "burst", limit.burst().toBigInteger())
            return RedisLimit(limit, "${limit.algorithm()} $p/${q}us burst $burst", p.toLong(), q.toLong())
        }

        private fun window(limit: RateLimit): RedisLimit {
            val (micros, rest) = nanosOf(limit).divideAndRemainder(NANOS_PER_MICRO)
            require(rest.signum() == 0) {
                "the period of $limit is no whole number of microseconds, in which Redis counts time; write one that is"
            }
            val permits = counted(limit, "permits", limit.permits().toBigInteger())
            return RedisLimit(limit, "${limit.algorithm()} $permits/${counted(limit, "period", micros)}us", 0, 0)
        }

        private fun counted(
            limit: RateLimit,
            part: String,
            number: BigInteger,
        ): BigInteger {
            require(number <= MOST) {
                "the $part of $limit has no exact form in the numbers of Redis, which end at $MOST; write a smaller or rounder one"
            }
            return number
        }

        private fun nanosOf(limit: RateLimit): BigInteger =
            limit.period().seconds.toBigInteger() * NANOS_PER_SECOND + limit.period().nano.toBigInteger()
    }
}

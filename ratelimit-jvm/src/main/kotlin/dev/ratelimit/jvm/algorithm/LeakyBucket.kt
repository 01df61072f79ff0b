package dev.ratelimit.jvm.algorithm

import dev.ratelimit.RateLimit

/** The narrowest meter that holds [limit] exactly. */
internal fun leakyBucket(limit: RateLimit): Meter {
    val pace = Pace.of(limit)
    return if (TokenBucket.fits(pace, limit.burst())) LeakyBucket(limit, pace) else WideLeakyBucket(limit, pace)
}

/**
 * The leaky bucket as a queue: Turner, "New directions in communications (or which way to the information age?)", IEEE
 * Communications Magazine 24(10), 1986. It holds as much as the token bucket has spent (the two are mirror images), and it adds the turn:
 * what is accepted now may leave when all that was accepted before has drained.
 */
internal class LeakyBucket(
    limit: RateLimit,
    pace: Pace,
) : TokenBucket(limit, pace) {
    override fun delayOf(
        word: Long,
        now: Long,
    ) = resetOf(word, now)
}

/** [LeakyBucket] in three words. */
internal class WideLeakyBucket(
    limit: RateLimit,
    pace: Pace,
) : WideTokenBucket(limit, pace) {
    override fun delay(
        state: LongArray,
        now: Long,
    ) = resetAfter(state, now)
}

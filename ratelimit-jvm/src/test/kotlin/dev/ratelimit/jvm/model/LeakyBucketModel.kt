package dev.ratelimit.jvm.model

import java.math.BigInteger

/** the definition: "level drains at the rate; n accepted iff level + n ≤ capacity; its turn comes after level/rate". */
internal class LeakyBucketModel(
    permits: Long,
    periodNanos: BigInteger,
    capacity: Long,
) : BucketModel(permits, periodNanos, capacity) {
    override fun delay(now: Long): BigInteger = untilEmpty(now).ceil()
}

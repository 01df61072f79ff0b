package dev.ratelimit.jvm.model

import java.math.BigInteger

/**
 * the definition: "starts full at `burst`; refills `permits` per `period`, continuously; n granted iff tokens ≥ n".
 * The level is what is missing: tokens = burst − level.
 */
internal class TokenBucketModel(
    permits: Long,
    periodNanos: BigInteger,
    burst: Long,
) : BucketModel(permits, periodNanos, burst)

package dev.ratelimit.jvm.limiter

/** What a correction from [estimated] permits to [actual] ones takes, or gives back where it is negative. */
internal fun correction(
    estimated: Long,
    actual: Long,
): Long {
    require(estimated >= 0) { "estimated $estimated is negative; write the permits that were granted" }
    require(actual >= 0) { "actual $actual is negative; write the permits that were really used" }
    return actual - estimated
}

package dev.ratelimit.jvm.limiter

import java.time.Duration

/** Nanoseconds, at most [Long.MAX_VALUE], which stands for ever. */
internal fun Duration.toWaitNanos(): Long {
    require(!isNegative) { "maxWait $this is negative; write Duration.ZERO not to wait at all" }
    return if (seconds >= MAX_SECONDS) Long.MAX_VALUE else toNanos()
}

/** Nanoseconds, at most [Long.MAX_VALUE], which stands for ever. */
internal fun kotlin.time.Duration.toWaitNanos(): Long {
    require(!isNegative()) { "maxWait $this is negative; write Duration.ZERO not to wait at all" }
    return inWholeNanoseconds
}

private const val MAX_SECONDS = Long.MAX_VALUE / 1_000_000_000

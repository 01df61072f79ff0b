package dev.ratelimit.jvm.redis

import dev.ratelimit.jvm.FailurePolicy
import dev.ratelimit.jvm.RedisStoreListener
import java.util.concurrent.TimeUnit

/** What a RedisStore is made with, beside its servers. */
internal class Settings(
    val keyPrefix: String = "ratelimit:",
    val deadlineNanos: Long = TimeUnit.MILLISECONDS.toNanos(DEADLINE_MILLIS),
    val connectTimeoutNanos: Long = TimeUnit.SECONDS.toNanos(CONNECT_SECONDS),
    val policy: FailurePolicy = FailurePolicy.local(),
    val isStrict: Boolean = false,
    val mayStartAway: Boolean = false,
    val leasePermits: Long = 0,
    val leaseIdleNanos: Long = 0,
    val denials: Int = 0,
    val listener: RedisStoreListener? = null,
    /** The instant in microseconds, of tests; null for the server's own clock. */
    val now: () -> Long? = { null },
) {
    private companion object {
        const val DEADLINE_MILLIS = 200L
        const val CONNECT_SECONDS = 5L
    }
}

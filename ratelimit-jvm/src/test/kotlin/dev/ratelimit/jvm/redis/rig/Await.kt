package dev.ratelimit.jvm.redis.rig

import io.lettuce.core.RedisException
import java.io.IOException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

private const val POLL_MILLIS = 2L

/** Asks until the answer is yes. A server that cannot be asked yet has not said yes. */
internal fun awaitThat(
    what: String,
    bound: Duration = 20.seconds,
    condition: () -> Boolean,
) {
    val end = TimeSource.Monotonic.markNow() + bound
    var last: Exception? = null
    while (true) {
        try {
            if (condition()) return
        } catch (e: RedisException) {
            last = e
        } catch (e: IOException) {
            last = e
        }
        check(end.hasNotPassedNow()) { "not within $bound: $what${last?.let { "; the last failure: $it" }.orEmpty()}" }
        Thread.sleep(POLL_MILLIS)
    }
}

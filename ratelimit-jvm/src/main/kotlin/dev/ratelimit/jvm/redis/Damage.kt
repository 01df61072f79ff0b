package dev.ratelimit.jvm.redis

import dev.ratelimit.RateLimitStoreException
import org.slf4j.LoggerFactory
import java.util.concurrent.atomic.AtomicLong

/** Keys that hold something else than a bucket: told to the log, at most once a minute, because each call finds them again. */
internal class Damage {
    private val toldAt = AtomicLong(System.nanoTime() - BETWEEN)

    fun found(failure: RateLimitStoreException) {
        val last = toldAt.get()
        val now = System.nanoTime()
        if (now - last >= BETWEEN && toldAt.compareAndSet(last, now)) {
            log.warn("{}; until then the failure policy decides", failure.message)
        }
    }

    private companion object {
        const val BETWEEN = 60_000_000_000L
        val log = LoggerFactory.getLogger("dev.ratelimit.jvm.RedisStore")
    }
}

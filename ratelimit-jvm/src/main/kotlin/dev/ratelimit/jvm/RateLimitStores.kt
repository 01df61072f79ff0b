package dev.ratelimit.jvm

import dev.ratelimit.spi.RateLimitStore
import org.slf4j.LoggerFactory

/** Stores that are chosen where a program runs, not where it is written. */
public object RateLimitStores {
    private val log = LoggerFactory.getLogger(RateLimitStores::class.java)

    /**
     * The store that the environment asks for: [RedisStore.connect] if `REDIS_URL` is set, otherwise [MemoryStore]. One line in the
     * log says which.
     */
    @JvmStatic
    public fun fromEnvironment(): RateLimitStore = from(System.getenv())

    internal fun from(environment: Map<String, String>): RateLimitStore {
        val uri = environment["REDIS_URL"]?.trim().orEmpty()
        if (uri.isEmpty()) {
            log.info("rate limits are kept in memory; set REDIS_URL to share them")
            return MemoryStore()
        }
        return RedisStore.connect(uri).also { log.info("rate limits are kept in {}", it) }
    }
}

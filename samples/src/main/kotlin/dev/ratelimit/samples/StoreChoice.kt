package dev.ratelimit.samples

import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RedisStore
import dev.ratelimit.jvm.SharedMemoryStore
import dev.ratelimit.spi.RateLimitStore
import java.nio.file.Path

internal enum class StoreKind { MEMORY, FILE, REDIS }

/** Where the limit is kept: said with --store, or by what is named for it. */
internal class StoreChoice(
    private val kind: StoreKind?,
    private val shared: Path?,
    private val redisUrl: String?,
) {
    /** What is wrong with the choice, if anything. */
    fun misuse(): String? =
        when {
            shared != null && redisUrl != null -> "--shared and --redis-url are two places for one limit; name one"
            kind == StoreKind.FILE && shared == null -> "--store file needs a file; write --shared FILE"
            kind == StoreKind.REDIS && redisUrl == null -> "--store redis needs an address; write --redis-url redis://localhost:6379"
            kind != null && kind != StoreKind.FILE && shared != null -> "--shared is for --store file; leave one of them out"
            kind != null && kind != StoreKind.REDIS && redisUrl != null -> "--redis-url is for --store redis; leave one of them out"
            else -> null
        }

    fun open(): RateLimitStore =
        when {
            shared != null -> opened("--shared") { SharedMemoryStore.open(shared, MOST_HOSTS) }
            redisUrl != null -> opened("--redis-url") { RedisStore.connect(redisUrl) }
            else -> MemoryStore()
        }

    private fun opened(option: String, open: () -> RateLimitStore): RateLimitStore =
        try {
            open()
        } catch (e: RateLimitStoreException) {
            throw usage("$option: ${e.message}", e)
        } catch (e: IllegalArgumentException) {
            throw usage("$option: ${e.message}", e)
        }

    private companion object {
        /** Of one shared file, at a time. */
        const val MOST_HOSTS = 10_000
    }
}

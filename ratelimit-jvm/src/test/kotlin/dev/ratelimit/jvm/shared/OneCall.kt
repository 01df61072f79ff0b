package dev.ratelimit.jvm.shared

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.RateLimiters
import dev.ratelimit.jvm.SharedMemoryStore
import java.nio.file.Path
import java.time.Duration
import kotlin.system.exitProcess

/** A JVM that opens a file, asks it a few times in two ways, and says what came of it. */
internal object OneCall {
    const val REFUSED = 3
    private const val CALLS = 20

    @JvmStatic
    fun main(arguments: Array<String>) {
        try {
            SharedMemoryStore.open(Path.of(arguments[0]), 100).use { store ->
                val bucket = RateLimiters.create("bucket", store, RateLimit.perHour(5.0))
                println("bucket ${(1..CALLS).count { bucket.tryAcquire().isAllowed }}")
                val log = RateLimiters.create("log", store, RateLimit.slidingLog(5, Duration.ofHours(1)))
                println("log ${(1..CALLS).count { log.tryAcquire().isAllowed }}")
            }
        } catch (e: RateLimitStoreException) {
            println(e.message)
            exitProcess(REFUSED)
        }
    }
}

/** What to do about a file that cannot be opened. */
internal const val REMEDY = "see that its folder exists, may be written to, and has room"

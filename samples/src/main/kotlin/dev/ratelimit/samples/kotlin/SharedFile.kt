package dev.ratelimit.samples.kotlin

import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.SharedMemoryStore
import dev.ratelimit.jvm.perHour
import kotlin.io.path.createTempDirectory
import kotlin.io.path.deleteExisting

/**
 * One limit for all processes of a machine that open the same file, with no server. Here two stores of one process stand for two
 * processes; yours would write a path that all of them know, `/dev/shm/my-limits` for example.
 */
fun main() {
    val folder = createTempDirectory("samples")
    val path = folder.resolve("limits")

    SharedMemoryStore.open(path).use { one ->
        SharedMemoryStore.open(path).use { other ->
            val here = RateLimiter("api", 8.perHour, store = one)
            val there = RateLimiter("api", 8.perHour, store = other)
            val granted = (1..10).count { i -> (if (i % 2 == 0) here else there).tryAcquire().isAllowed }
            println("$granted of 10 calls, of both together")
        }
    }

    // The file stays when the last process has gone, with all buckets as they are.
    SharedMemoryStore.open(path).use { store ->
        val later = RateLimiter("api", 8.perHour, store = store)
        println("later: ${if (later.tryAcquire().isAllowed) "yes" else "no"}")
    }
    path.deleteExisting()
    folder.deleteExisting()
}

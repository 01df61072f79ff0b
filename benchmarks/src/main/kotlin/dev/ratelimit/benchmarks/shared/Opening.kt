package dev.ratelimit.benchmarks.shared

import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.SharedMemoryStore
import dev.ratelimit.jvm.perSecond
import kotlin.io.path.Path

/** Opens the shared file that is its argument as the first thing of a process, decides once, and prints the milliseconds of each. */
fun main(args: Array<String>) {
    val path = Path(args.single())
    val start = System.nanoTime()
    val store = SharedMemoryStore.open(path)
    val opened = System.nanoTime()
    check(RateLimiter("first", 1.perSecond, store = store).tryAcquire().isAllowed || store.size > 0) { "a first permit was denied" }
    val decided = System.nanoTime()
    println((opened - start) / NANOS_PER_MILLI)
    println((decided - opened) / NANOS_PER_MILLI)
    store.close()
}

private const val NANOS_PER_MILLI = 1e6

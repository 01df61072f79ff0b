package dev.ratelimit.benchmarks.shared

import dev.ratelimit.jvm.SharedMemoryStore
import kotlin.io.path.Path

/** Opens the shared file that is its argument as the first thing of a process, and prints the milliseconds. */
fun main(args: Array<String>) {
    val path = Path(args.single())
    val start = System.nanoTime()
    val store = SharedMemoryStore.open(path)
    println((System.nanoTime() - start) / NANOS_PER_MILLI)
    store.close()
}

private const val NANOS_PER_MILLI = 1e6

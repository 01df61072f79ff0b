package dev.ratelimit.benchmarks.redis

import com.sun.management.OperatingSystemMXBean
import com.sun.management.ThreadMXBean
import java.lang.management.ManagementFactory

/** What this process and the server have used so far: processor time in nanoseconds, and bytes that living threads have allocated. */
internal class Costs private constructor(
    val clientNanos: Long,
    val serverNanos: Long,
    val bytes: Long,
) {
    operator fun minus(earlier: Costs) = Costs(clientNanos - earlier.clientNanos, serverNanos - earlier.serverNanos, bytes - earlier.bytes)

    companion object {
        private val process = ManagementFactory.getOperatingSystemMXBean() as OperatingSystemMXBean
        private val threads = ManagementFactory.getThreadMXBean() as ThreadMXBean

        fun of(server: OwnRedis?): Costs =
            Costs(process.processCpuTime, server?.cpu()?.toNanos() ?: 0, threads.getThreadAllocatedBytes(threads.allThreadIds).sum())
    }
}

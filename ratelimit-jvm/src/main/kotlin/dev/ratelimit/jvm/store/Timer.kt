package dev.ratelimit.jvm.store

import org.slf4j.LoggerFactory
import java.util.concurrent.ScheduledThreadPoolExecutor
import java.util.concurrent.TimeUnit

/** One thread for deadlines, probes and heartbeats of all stores and limiters of a process. Nothing of the user's runs here. */
internal object Timer {
    private val log = LoggerFactory.getLogger(Timer::class.java)

    private val executor =
        ScheduledThreadPoolExecutor(1) { task -> Thread(task, "ratelimit-timer").apply { isDaemon = true } }
            .apply { removeOnCancelPolicy = true }

    @Suppress("TooGenericExceptionCaught")
    fun after(
        nanos: Long,
        task: () -> Unit,
    ) {
        executor.schedule(
            {
                try {
                    task()
                } catch (e: Throwable) {
                    log.error("a timed task failed", e)
                }
            },
            nanos,
            TimeUnit.NANOSECONDS,
        )
    }
}

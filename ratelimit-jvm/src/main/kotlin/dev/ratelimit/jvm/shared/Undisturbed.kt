package dev.ratelimit.jvm.shared

import java.util.concurrent.Callable
import java.util.concurrent.ExecutionException
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors

/**
 * Works with a file on a thread that nobody interrupts: an interrupted thread that touches a file channel closes it, for all threads.
 * The caller waits, and stays interrupted if it was.
 */
internal object Undisturbed {
    private val executor: ExecutorService =
        Executors.newSingleThreadExecutor { task -> Worker(task) }

    private class Worker(
        task: Runnable,
    ) : Thread(task, "ratelimit-shared-file-work") {
        init {
            isDaemon = true
        }
    }

    /** Does [work] soon. Nobody waits for it; what goes wrong then goes wrong again for whoever needs it. */
    fun later(work: () -> Unit) {
        executor.execute { runCatching(work).onFailure { if (it !is Exception && it !is InternalError) throw it } }
    }

    fun <T> run(work: () -> T): T {
        if (Thread.currentThread() is Worker) return work()
        val result = executor.submit(Callable(work))
        var interrupted = false
        try {
            while (true) {
                try {
                    return result.get()
                } catch (ignored: InterruptedException) {
                    interrupted = true
                } catch (e: ExecutionException) {
                    throw e.cause ?: e
                }
            }
        } finally {
            if (interrupted) Thread.currentThread().interrupt()
        }
    }
}

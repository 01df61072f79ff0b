package dev.ratelimit.jvm.limiter

import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.Executor
import java.util.concurrent.atomic.AtomicBoolean

/**
 * Runs tasks on [executor], many that come together in one go, for handing over each by itself costs more than most of them do. A task
 * that blocks holds up no other: while any are left, a further go is always in the executor's hands.
 */
internal class Handover(
    private val executor: Executor,
) : Runnable {
    private val tasks = ConcurrentLinkedQueue<Runnable>()

    /** Whether the executor has a go that has not begun. */
    private val isCalled = AtomicBoolean()

    fun hand(task: Runnable) {
        tasks += task
        call()
    }

    @Suppress("TooGenericExceptionCaught")
    private fun call() {
        if (isCalled.get() || !isCalled.compareAndSet(false, true)) return
        try {
            executor.execute(this)
        } catch (e: Throwable) {
            isCalled.set(false)
            throw e
        }
    }

    override fun run() {
        isCalled.set(false)
        repeat(MOST) {
            val task = tasks.poll() ?: return
            if (!tasks.isEmpty()) call()
            task.run()
        }
        if (!tasks.isEmpty()) call()
    }

    private companion object {
        /** So that others who use the executor get their turn. */
        const val MOST = 64
    }
}

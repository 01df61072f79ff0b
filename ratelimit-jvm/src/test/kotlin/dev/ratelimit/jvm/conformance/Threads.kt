package dev.ratelimit.jvm.conformance

import java.util.concurrent.CyclicBarrier
import java.util.concurrent.Executors

/** Runs [action] in [threads] threads that start together, numbered from 0; throws what one of them throws. */
internal fun inThreads(
    threads: Int,
    action: (Int) -> Unit,
) {
    val start = CyclicBarrier(threads)
    val pool = Executors.newFixedThreadPool(threads)
    try {
        List(threads) {
            pool.submit {
                start.await()
                action(it)
            }
        }.forEach { it.get() }
    } finally {
        pool.shutdownNow()
    }
}

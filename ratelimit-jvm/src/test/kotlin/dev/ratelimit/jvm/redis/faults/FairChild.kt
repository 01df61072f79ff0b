package dev.ratelimit.jvm.redis.faults

import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.perSecond
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import java.util.concurrent.atomic.AtomicLong
import kotlin.concurrent.thread
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.seconds

internal const val READY = "ready"
internal const val GO = "go"
internal const val GRANTED = "granted "
internal const val CHILD_RATE = 500L
internal const val CHILD_BURST = 10L
internal const val CHILD_SECONDS = 10L
private const val CALLERS = 50

/** A process in which many wait on one key: says that it is ready, waits to be told to go, and tells what it was granted. */
public fun main(args: Array<String>) {
    storeAt(args[0]).use { store ->
        val limiter = RateLimiter("fair", CHILD_RATE.toInt().perSecond.withBurst(CHILD_BURST), store = store)
        limiter.peekBlocking()
        println(READY)
        check(readlnOrNull() == GO)
        // Whoever has started this process has ended.
        thread(isDaemon = true) { readlnOrNull() ?: Runtime.getRuntime().halt(1) }
        val granted = AtomicLong()
        runBlocking {
            withContext(Dispatchers.Default) {
                withTimeoutOrNull(CHILD_SECONDS.seconds) {
                    repeat(CALLERS) {
                        launch {
                            while (isActive) {
                                limiter.acquire()
                                granted.incrementAndGet()
                            }
                        }
                    }
                }
            }
        }
        println("$GRANTED$granted")
    }
    exitProcess(0)
}

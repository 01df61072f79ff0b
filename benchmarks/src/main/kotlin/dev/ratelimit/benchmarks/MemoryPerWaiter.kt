package dev.ratelimit.benchmarks

import dev.ratelimit.RateLimit
import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.acquire
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.sync.Mutex
import java.time.Duration
import kotlin.time.Duration.Companion.days

/**
 * The heap that each of a hundred thousand waiters in one line takes, coroutine included; and what coroutines take that wait for
 * nothing, for a timer and for a plain mutex, to tell how much of it is the limiter's. With `--classes`, also of which classes it is.
 */
fun main(args: Array<String>) {
    val showsClasses = "--classes" in args
    val limiter: RateLimiter = RateLimiter("line", RateLimit.every(Duration.ofDays(1)))
    val mutex = Mutex(locked = true)
    val candidates =
        listOf<Pair<String, CoroutineScope.() -> Unit>>(
            "acquire()" to { launch(start = CoroutineStart.UNDISPATCHED) { limiter.acquire() } },
            "nothing, for ever" to { launch(start = CoroutineStart.UNDISPATCHED) { suspendCancellableCoroutine<Unit> { } } },
            "delay()" to { launch(start = CoroutineStart.UNDISPATCHED) { delay(1.days) } },
            "Mutex.lock()" to { launch(start = CoroutineStart.UNDISPATCHED) { mutex.lock() } },
        )
    runBlocking { limiter.acquire() }
    val figures =
        candidates.map { (name, launchOne) ->
            val before = if (showsClasses) ClassHistogram.now() else null
            val (bytes, waiters) = Heap.perItem(WAITERS) { waiters(launchOne) }
            if (before != null) println("$name, bytes per waiter:\n${ClassHistogram.now().growthSince(before, WAITERS)}")
            runBlocking { waiters.cancelAndJoin() }
            Figure("heap per coroutine waiting in $name", bytes, "bytes", atMost = if (name == "acquire()") MOST_PER_WAITER else null)
        }
    Figure.report(args.filter { it != "--classes" }.toTypedArray(), figures)
}

/** The parent of many coroutines that wait: undispatched, they have got to where they wait when they have been launched. */
private fun waiters(launchOne: CoroutineScope.() -> Unit): Job {
    val parent = Job()
    val scope = CoroutineScope(Dispatchers.Default + parent)
    repeat(WAITERS) { scope.launchOne() }
    return parent
}

private const val WAITERS = 100_000
private const val MOST_PER_WAITER = 600.0

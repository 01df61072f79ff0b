package dev.ratelimit.jvm.line

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.acquire
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.Channel
import org.jetbrains.lincheck.LincheckAssertionError
import org.jetbrains.lincheck.datastructures.Operation
import org.jetbrains.lincheck.datastructures.StressOptions
import kotlin.coroutines.Continuation
import kotlin.coroutines.resume
import kotlin.coroutines.suspendCoroutine

/**
 * The line under Lincheck: who waits is served first in first out, once for each permit that comes back, whoever else comes and leaves.
 * Every result has to be that of [OrderlyLine] in some order of the calls. The clock stands still and the bucket is drained, so the only
 * permits are those given back. What those who do not wait are told is not looked at: while a head is about to take its permit, they
 * are refused a second one.
 *
 * Stress rather than model checking, whose instrumentation the line's suspend functions defeat. And futures that are cancelled rather
 * than Lincheck's own cancellation, which does not run the `finally` of a suspend function.
 */
class WaitingLineOperations {
    private val limiter =
        RateLimiter(
            "line",
            RateLimit.perSecond(1e-10).withBurst(BURST),
            store = MemoryStore(NanoClock { 0 }, maxKeys = 16),
            dispatcher = Dispatchers.Unconfined,
        ).also { it.tryAcquire(BURST) }

    @Operation(cancellableOnSuspension = false)
    suspend fun acquire() {
        limiter.acquire()
    }

    @Operation
    fun comeAndLeave() {
        if (!limiter.acquireAsync().cancel(false)) giveBack()
    }

    @Operation
    fun tryAndGiveBack() {
        if (limiter.tryAcquire().isAllowed) giveBack()
    }

    @Operation
    fun giveBack() = limiter.settle(1, 0)

    private companion object {
        /** More than a scenario can give back, so that the bucket is never full. */
        const val BURST = 8L
    }
}

/** What those operations mean, one after the other. */
class OrderlyLine {
    private var permits = 0
    private val line = ArrayDeque<Continuation<Unit>>()

    suspend fun acquire() {
        if (permits == 0) return suspendCoroutine { line.addLast(it) }
        permits--
    }

    fun comeAndLeave() = Unit

    fun tryAndGiveBack() = Unit

    fun giveBack() {
        val first = line.removeFirstOrNull()
        if (first == null) permits++ else first.resume(Unit)
    }
}

/** The same operations on a line that looks and then takes, so that two may take one permit: Lincheck has to find it. */
class RacyLineOperations {
    @Volatile
    private var permits = 0
    private val given = Channel<Unit>(Channel.CONFLATED)

    @Operation(cancellableOnSuspension = false)
    suspend fun acquire() {
        while (!taken()) given.receive()
    }

    @Operation
    fun comeAndLeave() = Unit

    @Operation
    fun tryAndGiveBack() {
        if (taken()) giveBack()
    }

    @Operation
    fun giveBack() {
        permits++
        given.trySend(Unit)
    }

    private fun taken(): Boolean {
        val seen = permits
        Thread.yield()
        if (seen > 0) permits = seen - 1
        return seen > 0
    }
}

class WaitingLineLincheckTest :
    FunSpec({
        fun options() =
            StressOptions()
                .sequentialSpecification(OrderlyLine::class.java)
                .actorsBefore(0)
                .actorsAfter(0)
                .threads(3)
                .actorsPerThread(2)
                .iterations(30)
                .invocationsPerIteration(1_000)
                .minimizeFailedScenario(false)

        test("those who wait are served in order, once for each permit, whoever comes and leaves") {
            options().check(WaitingLineOperations::class)
        }

        test("the check can fail: a line that looks and then takes is found") {
            shouldThrow<LincheckAssertionError> { options().check(RacyLineOperations::class) }
        }
    })

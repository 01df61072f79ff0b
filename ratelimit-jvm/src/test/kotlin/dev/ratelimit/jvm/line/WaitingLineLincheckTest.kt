package dev.ratelimit.jvm.line

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.acquire
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import kotlinx.coroutines.channels.Channel
import org.jetbrains.lincheck.LincheckAssertionError
import org.jetbrains.lincheck.datastructures.Operation
import org.jetbrains.lincheck.datastructures.StressOptions

/**
 * The line under Lincheck: suspended callers, callers that are cancelled, callers that do not wait, and a permit that comes back.
 * Every result has to be that of some order of the calls, one after the other. The clock stands still and the bucket holds one
 * permit, so the only permits are those given back. Stress rather than model checking, whose instrumentation the line's suspend
 * functions defeat.
 */
class WaitingLineOperations {
    private val limiter =
        RateLimiter("line", RateLimit.perSecond(1e-10), store = MemoryStore(NanoClock { 0 }, maxKeys = 16)).also { it.tryAcquire() }

    @Operation(cancellableOnSuspension = true)
    suspend fun acquire() {
        limiter.acquire()
    }

    @Operation
    fun tryAcquire() = limiter.tryAcquire().isAllowed

    @Operation
    fun giveBack() = limiter.settle(1, 0)
}

/** The same operations on a line that looks and then takes, so that two may take one permit: Lincheck has to find it. */
class RacyLineOperations {
    @Volatile
    private var permits = 0
    private val given = Channel<Unit>(Channel.CONFLATED)

    @Operation(cancellableOnSuspension = true)
    suspend fun acquire() {
        while (!tryAcquire()) given.receive()
    }

    @Operation
    fun tryAcquire(): Boolean {
        val seen = permits
        if (seen > 0) permits = seen - 1
        return seen > 0
    }

    @Operation
    fun giveBack() {
        permits = 1
        given.trySend(Unit)
    }
}

class WaitingLineLincheckTest :
    FunSpec({
        fun options() =
            StressOptions()
                .actorsBefore(0)
                .actorsAfter(0)
                .threads(3)
                .actorsPerThread(2)
                .iterations(30)
                .invocationsPerIteration(1_000)
                .minimizeFailedScenario(false)

        test("the line is linearizable, with suspension and cancellation") { options().check(WaitingLineOperations::class) }

        test("the check can fail: a line that looks and then takes is found") {
            shouldThrow<LincheckAssertionError> { options().check(RacyLineOperations::class) }
        }
    })

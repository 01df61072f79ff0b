package dev.ratelimit.jvm.store

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import org.jetbrains.lincheck.LincheckAssertionError
import org.jetbrains.lincheck.datastructures.Operation

/** The checks can fail: a bucket that looks first and takes afterwards does not pass them. */
internal class RacyBucketLincheckTest :
    FunSpec({
        test("model checking finds a bucket that is checked and charged in two steps") {
            shouldThrow<LincheckAssertionError> { checkModel(RacyBucketCalls::class, ThreePermits::class, scenarios = 100) }
        }

        test("model checking finds a list that is charged one bucket after the other") {
            shouldThrow<LincheckAssertionError> { checkModel(RacyListCalls::class, TwoBuckets::class, scenarios = 100) }
        }
    })

internal class RacyBucketCalls {
    @Volatile
    private var left = 3L

    @Operation
    fun takeOne(): Boolean = take(1)

    @Operation
    fun takeTwo(): Boolean = take(2)

    @Operation
    fun left(): Long = left

    private fun take(permits: Long): Boolean {
        if (left < permits) return false
        left -= permits
        return true
    }
}

internal class RacyListCalls {
    private var first = 2L
    private var second = 1L

    @Operation
    fun takeBoth(): Boolean {
        if (!takeFirst()) return false
        if (takeSecond()) return true
        synchronized(this) { first++ }
        return false
    }

    @Operation
    fun takeFirst(): Boolean = synchronized(this) { (first > 0).also { if (it) first-- } }

    @Operation
    fun takeSecond(): Boolean = synchronized(this) { (second > 0).also { if (it) second-- } }
}

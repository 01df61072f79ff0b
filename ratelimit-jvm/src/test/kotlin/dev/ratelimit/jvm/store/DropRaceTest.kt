package dev.ratelimit.jvm.store

import dev.ratelimit.Algorithm
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.conformance.inThreads
import dev.ratelimit.jvm.conformance.limit
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.util.concurrent.CyclicBarrier
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration.Companion.microseconds

/** Expiry against use (Ktor 24f1d888a9, LemmyNet#4560, alisaifee/limits aabe0f0). */
internal class DropRaceTest :
    FunSpec({
        /**
         * In each round the bucket has become full at this very instant, so that half of the threads may drop it while the others
         * use it up, some of them with an old reading of the clock.
         */
        fun grantedInRounds(
            algorithm: Algorithm,
            maxKeys: Int,
        ): Long {
            val clock = ManualClock()
            val store = MemoryStore(clock, maxKeys)
            val limit = algorithm.limit(BURST, 100.microseconds)
            val untilFull = 100.microseconds * if (algorithm == Algorithm.SLIDING_WINDOW) 2 else 1
            val granted = AtomicLong()
            val round = CyclicBarrier(THREADS) { clock.advance(untilFull) }
            inThreads(THREADS) { thread ->
                for (i in 1..ROUNDS) {
                    round.await()
                    if (thread % 2 == 0) {
                        repeat(8) { store.take(limit, "$thread-$i-$it") }
                    } else {
                        val now = clock.nanoTime()
                        val old = if (i % 3 == 0) now - untilFull.inWholeNanoseconds / 2 else now
                        for (at in listOf(old, now)) {
                            repeat(BURST.toInt()) { if (store.take(limit, "used", at = at).isAllowed) granted.incrementAndGet() }
                        }
                    }
                }
            }
            return granted.get()
        }

        for (algorithm in Algorithm.entries) {
            test("$algorithm: clean-up never removes a live bucket") { grantedInRounds(algorithm, 1_000_000) shouldBe BURST * ROUNDS }
        }

        test("making room never removes a live bucket while there are full ones") {
            // Room for what two threads can have in use at one instant.
            grantedInRounds(Algorithm.TOKEN_BUCKET, 64) shouldBe BURST * ROUNDS
        }
    }) {
    private companion object {
        const val THREADS = 4
        const val ROUNDS = 5_000
        const val BURST = 5L
    }
}

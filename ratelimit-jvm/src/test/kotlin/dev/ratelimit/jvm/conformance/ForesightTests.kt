package dev.ratelimit.jvm.conformance

import dev.ratelimit.Algorithm
import dev.ratelimit.RateLimit
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeAtLeast
import io.kotest.matchers.longs.shouldBeAtMost
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.future.await
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/** What a store tells of the future: the wait behind others, and which limits it can hold. */
internal fun FunSpec.foresightTests(open: () -> StoreFixture) {
    eachAlgorithm("the wait behind others is the least in which they and then the caller can be served", open) { algorithm ->
        val limit = algorithm.limit(4, 1.seconds)
        for (ahead in 0L..11) {
            reset(KEY)
            alignTo(1.seconds)
            take(limit.charge(3)).shouldLeave(1)
            val told = peek(ahead, limit).retryAfterNanos()
            repeat(3) { peek(ahead, limit).retryAfterNanos() shouldBe told }
            left(limit) shouldBe 1
            val played = servedAfter(limit, ahead + 1)
            withClue("$ahead ahead") {
                told shouldBeAtMost played.inWholeNanoseconds
                // Whoever takes a permit of a sliding window at once may make later ones wait longer than they have to.
                if (algorithm != Algorithm.SLIDING_WINDOW) told shouldBe played.inWholeNanoseconds
            }
        }
    }

    eachAlgorithm("the more are ahead, the longer is the wait; more than can ever be is for ever, not the past", open) { algorithm ->
        val limit = algorithm.limit(4, 1.hours)
        take(limit.charge(4)).shouldLeave(0)
        var before = 0L
        for (ahead in listOf(0L, 1, 3, 4, 5, 1_000, 1_000_000, Long.MAX_VALUE / 2, Long.MAX_VALUE)) {
            val wait = peek(ahead, limit).retryAfterNanos()
            withClue("$ahead ahead") { wait shouldBeAtLeast before }
            before = wait
        }
        before shouldBeAtLeast 36_500.days.inWholeNanoseconds
    }

    storeTest("a limit that the store accepts can be charged, and one that it refuses is refused by calls too", open) {
        for (limit in ODD_LIMITS) {
            withClue("$limit") {
                val refusal = runCatching { store.check(limit) }.exceptionOrNull()
                if (refusal == null) {
                    reset(KEY)
                    take(limit.charge()) shouldBeAllowed true
                    left(limit) shouldBe limit.burst() - 1
                } else {
                    refusal.shouldBeInstanceOf<IllegalArgumentException>().message shouldContain "$limit"
                    shouldThrow<IllegalArgumentException> { take(limit.charge()) }
                }
            }
        }
    }

    eachAlgorithm("ordinary limits are accepted", open) { algorithm ->
        for (permits in listOf(1L, 3, 7, 1_000, 100_000)) {
            for (period in listOf(1.seconds, 60.seconds, 1.days)) {
                store.check(algorithm.limit(permits, period))
            }
        }
    }
}

private val ODD_LIMITS =
    listOf(1L to 1.nanoseconds, 3L to 7.nanoseconds, 999_999_937L to 1_000_000_007.nanoseconds, 1L to 36_500.days)
        .flatMap { (permits, period) ->
            Algorithm.entries.filter { permits < 1_000 || it != Algorithm.SLIDING_LOG }.map { it.limit(permits, period) }
        } +
        Algorithm.TOKEN_BUCKET.limit(1, 1.days).withBurst(Long.MAX_VALUE)

private suspend fun Kit.peek(
    ahead: Long,
    limit: RateLimit,
) = store.peekAsync(listOf(limit.charge()), ahead).await()

/** The time until so many single permits have been served, each as soon as it can be. */
private suspend fun Kit.servedAfter(
    limit: RateLimit,
    permits: Long,
): Duration {
    var time = Duration.ZERO
    var served = 0L
    while (served < permits) {
        val result = take(limit.charge())
        if (result.isAllowed) {
            served++
        } else {
            val wait = result.retryAfterNanos().nanoseconds
            advance(wait)
            time += wait
        }
    }
    return time
}

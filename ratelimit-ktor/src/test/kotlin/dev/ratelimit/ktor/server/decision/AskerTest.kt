package dev.ratelimit.ktor.server.decision

import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.jvm.MemoryStore
import dev.ratelimit.jvm.perHour
import dev.ratelimit.ktor.server.limited
import dev.ratelimit.ktor.server.monitoring.FakeTallies
import dev.ratelimit.ktor.server.rateLimiting
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.RateLimitStore
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage

/** Stores of users' own, which may fail in any way. */
class AskerTest :
    FunSpec({
        val charges = listOf("a", "b").map { Charge(BucketKey(it, null, 0), 10.perHour, 1) }

        test("a store that never answers is away after three seconds") {
            runTest {
                fun asker() = Asker(OddStore(CompletableFuture()))
                shouldThrow<RateLimitStoreException> { asker().ask(charges, Long.MAX_VALUE) }
                shouldThrow<RateLimitStoreException> { asker().peek(charges[0]) }
                shouldThrow<RateLimitStoreException> { asker().peekAll(charges) }
                currentTime shouldBeInRange 9_000L..9_003L
            }
        }

        test("a store that cancels its answer is away") {
            runTest {
                val asker = Asker(OddStore(CompletableFuture<RateLimitResult>().apply { cancel(false) }))
                shouldThrow<RateLimitStoreException> { asker.ask(charges, Long.MAX_VALUE) }.message shouldContain "cancelled"
            }
        }

        test("a store that fails in its own words is away") {
            runTest {
                val asker = Asker(OddStore(CompletableFuture.failedFuture(IllegalStateException("closed"))))
                shouldThrow<RateLimitStoreException> { asker.ask(charges, Long.MAX_VALUE) }.message shouldContain "closed"
            }
        }

        test("buckets that are looked at together are asked about in one go") {
            runTest {
                val store = OddStore(CompletableFuture())
                val looking = async { Asker(store).peekAll(charges) }
                runCurrent()
                store.looks shouldBe 2
                looking.cancel()
            }
        }

        test("a store that counts for all and fails in its own words is not up") {
            val tallies = FakeTallies().apply { failure = IllegalStateException("no words for it") }
            limited({
                store = tallies
                rule("/*") { perIp(1.perHour) }
            }) {
                application.rateLimiting.health().isUp shouldBe false
                tallies.failure = CancellationException("given up")
                application.rateLimiting.health().isUp shouldBe false
                tallies.failure = null
                application.rateLimiting.health().isUp shouldBe true
            }
        }

        test("a store that throws instead of answering is away, for those who look too") {
            val asker = Asker(OddStore(CompletableFuture()).apply { looksFail = true })
            shouldThrow<RateLimitStoreException> { asker.peekAll(charges) }.message shouldContain "no looking"
        }

        test("what was granted to a caller who has left meanwhile is given back, and what was denied is not") {
            runTest {
                for ((result, times) in listOf(
                    RateLimitResult.allowed(10.perHour, 9, 0, 0) to 1,
                    RateLimitResult.denied(10.perHour, 0, 1, 1) to 0,
                )) {
                    val answer = CompletableFuture<RateLimitResult>()
                    val store = OddStore(answer)
                    val asking = async { Asker(store).ask(charges, Long.MAX_VALUE) }
                    runCurrent()
                    asking.cancel()
                    runCurrent()
                    store.adjusted shouldBe 0
                    answer.complete(result)
                    store.adjusted shouldBe times
                }
            }
        }

        test("permits that cannot be given back are no call's trouble") {
            val store = OddStore(CompletableFuture())
            Asker(store).giveBackCharges(charges)
            store.adjusted shouldBe 1
        }
    })

/** Answers every question so; and throws where nobody looks for it. */
private class OddStore(
    private val answer: CompletionStage<RateLimitResult>,
) : RateLimitStore by MemoryStore() {
    var adjusted = 0
    var looks = 0
    var looksFail = false

    override fun tryAcquireAsync(
        charges: List<Charge>,
        maxDelayNanos: Long,
    ): CompletionStage<RateLimitResult> = answer

    override fun peekAsync(
        charges: List<Charge>,
        ahead: Long,
    ): CompletionStage<RateLimitResult> {
        looks++
        check(!looksFail) { "no looking" }
        return answer
    }

    override fun adjustAsync(adjustments: List<Adjustment>): CompletionStage<Void?> {
        adjusted++
        error("not now")
    }
}

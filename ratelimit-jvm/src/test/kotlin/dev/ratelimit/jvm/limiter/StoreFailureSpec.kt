package dev.ratelimit.jvm.limiter

import dev.ratelimit.NanoClock
import dev.ratelimit.RateLimitResult
import dev.ratelimit.RateLimitStoreException
import dev.ratelimit.RateLimiter
import dev.ratelimit.jvm.RateLimiter
import dev.ratelimit.jvm.acquire
import dev.ratelimit.jvm.perSecond
import dev.ratelimit.jvm.tryAcquire
import dev.ratelimit.jvm.withPermit
import dev.ratelimit.spi.Adjustment
import dev.ratelimit.spi.BucketKey
import dev.ratelimit.spi.Charge
import dev.ratelimit.spi.LocalRateLimitStore
import dev.ratelimit.spi.RateLimitStore
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.test.runTest
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionException
import java.util.concurrent.CompletionStage
import java.util.concurrent.ExecutionException
import kotlin.time.Duration.Companion.seconds
import java.time.Duration as JavaDuration

/** A local store that cannot answer. */
internal class DownStore : LocalRateLimitStore {
    override fun clock() = NanoClock { 0 }

    override fun tryAcquire(
        charges: List<Charge>,
        at: Long,
        maxDelayNanos: Long,
    ): RateLimitResult = down()

    override fun peek(
        charges: List<Charge>,
        at: Long,
        ahead: Long,
    ): RateLimitResult = down()

    override fun adjust(adjustments: List<Adjustment>) = down()

    override fun reset(keys: List<BucketKey>) = down()

    private fun down(): Nothing = throw RateLimitStoreException("the disk is gone", null)
}

/** A store behind a wire that cannot answer; its failures come wrapped, as those of dependent stages do. */
private class CutOffStore : RateLimitStore {
    override fun tryAcquireAsync(
        charges: List<Charge>,
        maxDelayNanos: Long,
    ): CompletionStage<RateLimitResult> = cut()

    override fun peekAsync(
        charges: List<Charge>,
        ahead: Long,
    ): CompletionStage<RateLimitResult> = cut()

    override fun adjustAsync(adjustments: List<Adjustment>): CompletionStage<Void?> = cut()

    override fun resetAsync(keys: List<BucketKey>): CompletionStage<Void?> = cut()

    private fun <T> cut(): CompletionStage<T> =
        CompletableFuture.failedFuture(CompletionException(RateLimitStoreException("the wire is cut", null)))
}

/** An outage is an exception of its own kind from every face, told to the listener once, and never a refusal. */
internal class StoreFailureSpec :
    FunSpec({
        val waiting = JavaDuration.ofSeconds(1)

        fun fails(
            name: String,
            call: suspend (RateLimiter) -> Unit,
        ) = test("an outage fails $name") {
            for ((store, message) in listOf(DownStore() to "the disk is gone", CutOffStore() to "the wire is cut")) {
                val journal = Journal()
                val limiter = RateLimiter("down", 10.perSecond, store = store, listener = journal)
                withClue(message) {
                    runTest { shouldThrow<RateLimitStoreException> { call(limiter) }.message shouldBe message }
                    journal.events shouldContainExactly listOf("down/null store: $message")
                }
            }
        }

        fails("acquire") { it.acquire() }
        fails("acquire with a bound") { it.acquire(2, maxWait = 1.seconds) }
        fails("tryAcquire") { it.tryAcquire() }
        fails("tryAcquire with a bound") { it.tryAcquire(2, maxWait = 1.seconds) }
        fails("withPermit, whose block does not run") { it.withPermit { error("the block must not run") } }
        fails("acquireBlocking") { it.acquireBlocking() }
        fails("acquireBlocking with a bound") { it.acquireBlocking(waiting) }
        fails("tryAcquireBlocking") { it.tryAcquireBlocking() }
        fails("tryAcquireBlocking with a bound") { it.tryAcquireBlocking(1, waiting) }
        fails("peekBlocking") { it.peekBlocking() }
        fails("resetBlocking") { it.resetBlocking() }
        fails("settleBlocking") { it.settleBlocking(1, 2) }

        fun failsItsFuture(
            name: String,
            call: (RateLimiter) -> CompletableFuture<*>,
        ) = fails("the future of $name") { limiter ->
            val future = runCatching { call(limiter) }.getOrElse { throw AssertionError("thrown at the caller", it) }
            val cause = shouldThrow<ExecutionException> { future.get() }.cause
            throw cause.shouldBeInstanceOf<RateLimitStoreException>()
        }

        failsItsFuture("acquireAsync") { it.acquireAsync() }
        failsItsFuture("acquireAsync with a bound") { it.acquireAsync(waiting) }
        failsItsFuture("tryAcquireAsync") { it.tryAcquireAsync() }
        failsItsFuture("tryAcquireAsync with a bound") { it.tryAcquireAsync(1, waiting) }
        failsItsFuture("peekAsync") { it.peekAsync() }
        failsItsFuture("resetAsync") { it.resetAsync() }
        failsItsFuture("settleAsync") { it.settleAsync(1, 2) }
    })

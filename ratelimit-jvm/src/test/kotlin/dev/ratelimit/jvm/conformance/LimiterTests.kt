package dev.ratelimit.jvm.conformance

import dev.ratelimit.RateLimit
import dev.ratelimit.jvm.KeyedRateLimiter
import dev.ratelimit.jvm.RateLimiter
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.future.await
import java.time.Duration

/** Limiters on the store: what they ask of it adds up. */
internal fun FunSpec.limiterTests(open: () -> StoreFixture) {
    val hourly = RateLimit.perHour(10.0)

    storeTest("a limiter grants its burst, then refuses with the wait", open) {
        val limiter = RateLimiter("limiter", RateLimit.every(Duration.ofHours(1)).withBurst(2), store = store)
        repeat(2) { limiter.tryAcquireAsync().await() shouldBeAllowed true }
        val refusal = limiter.tryAcquireAsync().await()
        refusal shouldBeAllowed false
        refusal.retryAfter() shouldBe Duration.ofHours(1)
        limiter.tryAcquireAsync(1, Duration.ofMinutes(59)).await() shouldBeAllowed false
    }

    storeTest("limiters of one name share their buckets, those of other names do not", open) {
        RateLimiter("a", hourly, store = store).tryAcquireAsync(4).await() shouldBeAllowed true
        RateLimiter("a", hourly, store = store).peekAsync().await().remaining() shouldBe 6
        RateLimiter("b", hourly, store = store).peekAsync().await().remaining() shouldBe 10
    }

    storeTest("each key of a keyed limiter has its own permits, and a reset hits one of them", open) {
        val users = KeyedRateLimiter<String>("users", hourly, store = store)
        users["alice"].tryAcquireAsync(10).await() shouldBeAllowed true
        users["*"].tryAcquireAsync(10).await() shouldBeAllowed true
        users["bob"].tryAcquireAsync(1).await() shouldBeAllowed true
        users["*"].resetAsync().await()
        users["*"].peekAsync().await().remaining() shouldBe 10
        users["alice"].peekAsync().await().remaining() shouldBe 0
        users["bob"].peekAsync().await().remaining() shouldBe 9
    }

    storeTest("a limiter of two limits charges both or none", open) {
        val limiter = RateLimiter("limiter", hourly, RateLimit.fixedWindow(3, Duration.ofHours(1)), store = store)
        repeat(3) { limiter.tryAcquireAsync().await() shouldBeAllowed true }
        repeat(5) { limiter.tryAcquireAsync().await().limit() shouldBe limiter.limits()[1] }
        RateLimiter("limiter", hourly, store = store).peekAsync().await().remaining() shouldBe 7
    }

    storeTest("a settled call costs what was used", open) {
        val limiter = RateLimiter("limiter", hourly, store = store)
        limiter.tryAcquireAsync(5).await() shouldBeAllowed true
        limiter.settleAsync(5, 2).await()
        limiter.peekAsync().await().remaining() shouldBe 8
        limiter.settleAsync(0, 9).await()
        limiter.tryAcquireAsync().await().retryAfter() shouldBe Duration.ofMinutes(12)
    }

    storeTest("a limiter keeps its tokens when its limits change", open) {
        val limiter = RateLimiter("limiter", hourly, store = store)
        limiter.tryAcquireAsync(4).await() shouldBeAllowed true
        limiter.setLimits(RateLimit.perHour(60.0).withBurst(10))
        limiter.tryAcquireAsync(6).await().shouldLeave(0)
        limiter.tryAcquireAsync().await().retryAfter() shouldBe Duration.ofMinutes(1)
    }
}

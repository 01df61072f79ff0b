package dev.ratelimit.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ratelimit.LocalKeyedRateLimiter;
import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.RateLimit;
import dev.ratelimit.RateLimitExceededException;
import dev.ratelimit.RateLimitResult;
import dev.ratelimit.Refusal;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Factories, builder and decorators as Java uses them. Time stands still unless a test says otherwise. */
class JavaFacesTest {
    private static final RateLimit HOURLY = RateLimit.every(Duration.ofHours(1));

    @Test
    void everyFaceChargesTheSameBucket() throws Exception {
        LocalRateLimiter limiter = frozen(RateLimit.perSecond(20));
        limiter.tryAcquire();
        limiter.tryAcquire(2);
        limiter.tryAcquireAsync().join();
        limiter.tryAcquireAsync(2).join();
        limiter.tryAcquireAsync(1, Duration.ZERO).join();
        limiter.tryAcquireBlocking();
        limiter.tryAcquireBlocking(2);
        limiter.tryAcquireBlocking(1, Duration.ZERO);
        limiter.acquireAsync().join();
        limiter.acquireAsync(2).join();
        limiter.acquireAsync(Duration.ZERO).join();
        limiter.acquireBlocking();
        limiter.acquireBlocking(2);
        limiter.acquireBlocking(Duration.ZERO);
        assertEquals(1, limiter.peek().remaining());
        assertEquals(0, limiter.acquireBlocking(1, Duration.ZERO).remaining());
        assertEquals(limiter.peek(), limiter.peekAsync().join());
        assertEquals(limiter.peek(), limiter.peekBlocking());
    }

    @Test
    void everyFaceForgetsAndSettles() {
        LocalRateLimiter limiter = frozen(RateLimit.perSecond(20));
        limiter.tryAcquire(20);
        limiter.settleAsync(20, 19).join();
        limiter.settleBlocking(19, 17);
        limiter.settle(17, 14);
        assertEquals(6, limiter.peek().remaining());
        limiter.resetAsync().join();
        assertEquals(20, limiter.peek().remaining());
        limiter.tryAcquire(20);
        limiter.resetBlocking();
        assertEquals(20, limiter.peek().remaining());
    }

    @Test
    void aHopelessWaitIsRefusedAtOnceByEveryFace() {
        LocalRateLimiter limiter = frozen(HOURLY);
        limiter.tryAcquire();
        Duration tooShort = Duration.ofMinutes(59);
        assertEquals(
                Refusal.MAX_WAIT, limiter.tryAcquireAsync(1, tooShort).join().refusal());
        CompletableFuture<RateLimitResult> failed = limiter.acquireAsync(tooShort);
        assertTrue(failed.isCompletedExceptionally());
        assertThrows(RateLimitExceededException.class, () -> limiter.acquireBlocking(tooShort));
        RateLimitExceededException thrown =
                assertThrows(RateLimitExceededException.class, () -> limiter.acquireBlocking(1, Duration.ZERO));
        assertEquals(Duration.ofHours(1), thrown.getResult().retryAfter());
    }

    @Test
    void theBuilderGivesEverythingElse() {
        Waiters waiters = new Waiters();
        LocalRateLimiter limiter = RateLimiters.builder("built")
                .limits(RateLimit.perSecond(10), RateLimit.perHour(5))
                .listener(waiters)
                .maxWaiters(0)
                .build(new MemoryStore(() -> 0));
        assertEquals("built", limiter.name());
        assertEquals(List.of(RateLimit.perSecond(10), RateLimit.perHour(5)), limiter.limits());
        limiter.tryAcquire(5);
        assertEquals(
                Refusal.LINE_FULL,
                limiter.tryAcquireAsync(1, Duration.ofDays(1)).join().refusal());
        LocalKeyedRateLimiter<Integer> keyed =
                RateLimiters.builder("keyed").limits(HOURLY).keyed();
        assertTrue(keyed.get(1).tryAcquire().isAllowed());
        assertFalse(keyed.get(1).tryAcquire().isAllowed());
        assertTrue(keyed.get(2).tryAcquire().isAllowed());
        assertTrue(
                RateLimiters.builder("own").limits(HOURLY).build().tryAcquire().isAllowed());
    }

    @Test
    void limitsCannotBeChangedFromOutside() {
        RateLimit[] array = {RateLimit.perSecond(10)};
        LocalRateLimiter limiter = frozen(array);
        array[0] = RateLimit.perSecond(1_000);
        assertEquals(List.of(RateLimit.perSecond(10)), limiter.limits());
        List<RateLimit> limits = limiter.limits();
        assertThrows(UnsupportedOperationException.class, () -> limits.set(0, RateLimit.perSecond(1_000)));
    }

    @Test
    void aDecoratedTaskTakesAPermitForEachCall() throws Exception {
        LocalRateLimiter limiter = frozen(RateLimit.perSecond(3));
        AtomicInteger calls = new AtomicInteger();
        Callable<Integer> limited = RateLimiters.decorate(limiter, calls::incrementAndGet);
        assertEquals(3, limiter.peek().remaining());
        assertEquals(1, limited.call());
        assertEquals(2, limited.call());
        assertEquals(1, limiter.peek().remaining());
        IllegalStateException failure = new IllegalStateException("broken");
        Callable<Integer> failing = RateLimiters.decorate(limiter, () -> {
            throw failure;
        });
        assertSame(failure, assertThrows(IllegalStateException.class, failing::call));
        assertEquals(0, limiter.peek().remaining());
    }

    @Test
    void aDecoratedAsyncTaskStartsWithThePermit() {
        LocalRateLimiter limiter = frozen(HOURLY);
        AtomicInteger starts = new AtomicInteger();
        Supplier<CompletableFuture<Integer>> limited =
                RateLimiters.decorateAsync(limiter, () -> CompletableFuture.completedFuture(starts.incrementAndGet()));
        assertEquals(1, limited.get().join());
        CompletableFuture<Integer> waiting = limited.get();
        CompletableFuture<Integer> cancelled = limited.get();
        assertEquals(1, starts.get());
        cancelled.cancel(false);
        limiter.reset();
        assertEquals(
                2,
                waiting.orTimeout(Waiters.PATIENCE_SECONDS, java.util.concurrent.TimeUnit.SECONDS)
                        .join());
        limiter.reset();
        Waiters.eventually("the line is empty", () -> limiter.peek().isAllowed());
        assertEquals(2, starts.get());
    }

    private static LocalRateLimiter frozen(RateLimit... limits) {
        return RateLimiters.create("frozen", new MemoryStore(() -> 0), limits);
    }
}

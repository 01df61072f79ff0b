package dev.ratelimit.jvm;

import static dev.ratelimit.jvm.Waiters.get;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.RateLimit;
import dev.ratelimit.RateLimitExceededException;
import dev.ratelimit.RateLimitResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Futures that wait. Time stands still; {@code reset} and {@code settle} bring permits. */
class JavaFuturesTest {
    private final ExecutorService executor =
            Executors.newSingleThreadExecutor(task -> new Thread(task, "the limiter's executor"));
    private final Waiters waiters = new Waiters();
    private final LocalRateLimiter limiter = RateLimiters.builder("futures")
            .limits(RateLimit.every(Duration.ofHours(1)))
            .listener(waiters)
            .executor(executor)
            .build(new MemoryStore(() -> 0));

    @AfterEach
    void stop() {
        executor.shutdownNow();
    }

    @Test
    void aFutureThatNeedNotWaitIsDoneAtOnce() {
        assertTrue(limiter.acquireAsync().isDone());
        assertTrue(limiter.tryAcquireAsync().isDone());
        assertTrue(limiter.tryAcquireAsync(1, Duration.ofMinutes(1)).isDone());
        assertTrue(limiter.acquireAsync(Duration.ofMinutes(1)).isCompletedExceptionally());
    }

    @Test
    void aFutureThatWaitedCompletesOnTheExecutor() throws Exception {
        limiter.tryAcquire();
        CompletableFuture<String> thread = limiter.acquireAsync().thenApply(r -> threadName());
        CompletableFuture<String> triedThread =
                limiter.tryAcquireAsync(1, Duration.ofDays(1)).thenApply(r -> threadName());
        assertFalse(thread.isDone());
        limiter.reset();
        assertEquals("the limiter's executor", get(thread));
        limiter.reset();
        assertEquals("the limiter's executor", get(triedThread));
    }

    @Test
    void aFailureAfterWaitingComesOnTheExecutorToo() throws Exception {
        limiter.setLimits(RateLimit.perHour(10));
        limiter.tryAcquire(10);
        CompletableFuture<String> thread =
                limiter.acquireAsync(5).handle((r, failure) -> failure + " on " + threadName());
        limiter.setLimits(RateLimit.perHour(4));
        String failure = get(thread);
        assertTrue(failure.contains("permits 5 can never be granted"), failure);
        assertTrue(failure.endsWith("on the limiter's executor"), failure);
    }

    /** Without the number that coroutines add while assertions are on. */
    private static String threadName() {
        return Thread.currentThread().getName().replaceFirst(" @coroutine#\\d+$", "");
    }

    @Test
    void futuresAreServedInTheOrderInWhichTheyWereAskedFor() throws Exception {
        limiter.tryAcquire();
        List<CompletableFuture<RateLimitResult>> line = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            line.add(limiter.acquireAsync());
        }
        for (CompletableFuture<RateLimitResult> next : line) {
            assertEquals(line.stream().filter(CompletableFuture::isDone).count(), line.indexOf(next));
            limiter.settle(1, 0);
            assertTrue(get(next).isAllowed());
        }
    }

    @Test
    void aFutureCompletesAlthoughItsExecutorIsShutDown() throws Exception {
        limiter.tryAcquire();
        CompletableFuture<RateLimitResult> waiting = limiter.acquireAsync();
        CompletableFuture<RateLimitResult> next = limiter.acquireAsync();
        executor.shutdown();
        limiter.reset();
        assertTrue(get(waiting).isAllowed());
        limiter.settle(1, 0);
        assertTrue(get(next).isAllowed());
    }

    @Test
    void whatBlocksInFuturesOfOneLimiterDoesNotHoldUpAnother() throws Exception {
        LocalRateLimiter blocked = RateLimiters.builder("inline")
                .limits(RateLimit.perHour(3))
                .executor(Runnable::run)
                .build(new MemoryStore(() -> 0));
        CountDownLatch done = new CountDownLatch(1);
        blocked.tryAcquire(3);
        for (int i = 0; i < 3; i++) {
            var unused = blocked.acquireAsync().thenAccept(r -> await(done));
        }
        blocked.reset();
        limiter.tryAcquire();
        CompletableFuture<RateLimitResult> other = limiter.acquireAsync();
        limiter.reset();
        assertTrue(get(other).isAllowed());
        done.countDown();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aStageAfterThePermitStartsWithIt() throws Exception {
        limiter.tryAcquire();
        CompletableFuture<String> page = limiter.acquireAsync()
                .thenCompose(r -> CompletableFuture.supplyAsync(() -> "page", executor))
                .thenApply(String::toUpperCase);
        limiter.reset();
        assertEquals("PAGE", get(page));
    }

    @Test
    void aCancelledFutureLeavesTheLineAtNoCost() throws Exception {
        limiter.tryAcquire();
        CompletableFuture<RateLimitResult> cancelled = limiter.acquireAsync();
        CompletableFuture<RateLimitResult> next = limiter.acquireAsync();
        assertTrue(cancelled.cancel(true));
        limiter.settle(1, 0);
        assertTrue(get(next).isAllowed());
        assertEquals(1, permitsLeft());
    }

    @Test
    void aFutureWhoseTimeIsOutLeavesTheLineAtNoCost() throws Exception {
        limiter.tryAcquire();
        CompletableFuture<RateLimitResult> timed = limiter.acquireAsync().orTimeout(1, TimeUnit.MILLISECONDS);
        CompletableFuture<RateLimitResult> replaced =
                limiter.acquireAsync().completeOnTimeout(null, 1, TimeUnit.MILLISECONDS);
        ExecutionException failure = assertThrows(ExecutionException.class, () -> get(timed));
        assertSame(TimeoutException.class, failure.getCause().getClass());
        assertSame(null, get(replaced));
        assertEquals(1, permitsLeft());
    }

    @Test
    void aFutureThatIsCompletedByItsHolderLeavesTheLine() throws Exception {
        limiter.tryAcquire();
        CompletableFuture<RateLimitResult> obtruded = limiter.acquireAsync();
        RateLimitResult own = limiter.peek();
        obtruded.complete(own);
        assertSame(own, get(obtruded));
        assertEquals(1, permitsLeft());
    }

    @Test
    void aRefusalIsTheCauseOfTheFailure() {
        limiter.tryAcquire();
        CompletableFuture<RateLimitResult> refused = limiter.acquireAsync(Duration.ofMinutes(1));
        ExecutionException failure = assertThrows(ExecutionException.class, () -> get(refused));
        assertEquals(
                Duration.ofHours(1),
                assertInstance(RateLimitExceededException.class, failure.getCause())
                        .getResult()
                        .retryAfter());
    }

    /** What is there when one permit comes and nobody waits for it any more. */
    private long permitsLeft() {
        limiter.settle(1, 0);
        Waiters.eventually("the line is empty", () -> limiter.peek().isAllowed());
        return limiter.peek().remaining();
    }

    private static <T> T assertInstance(Class<T> type, Object value) {
        return org.junit.jupiter.api.Assertions.assertInstanceOf(type, value);
    }
}
